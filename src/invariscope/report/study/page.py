"""What stands on the page of a study, as plain values for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from invariscope.core.words import count, listed, tidy
from invariscope.report.drawings.draw import draw_spec
from invariscope.report.embedded import lightened
from invariscope.report.ink import inline, save
from invariscope.report.provenance import images_name, network_name, provenance, settings, warnings_of
from invariscope.report.read import RunData
from invariscope.report.sections import Card, Figure
from invariscope.report.study.cards import SAID, cards_of
from invariscope.report.study.read import MARKS, Failed, Finding, StudyData, prose
from invariscope.report.study.tables import heads, wide_tables
from invariscope.report.tables import Table

_PAGE_BYTES = 1_900_000


@dataclass(frozen=True)
class Claim:
    """What was found on one claim of the source.

    Attributes:
        text: the claim; empty where nothing is claimed.
        summary: in how many cases it holds, does not, or is undecided.
        findings: sign, words, style and sentence of each case.
    """

    text: str
    summary: str
    findings: list[dict[str, str]]


@dataclass(frozen=True)
class StudyPage:
    """A study's page.

    Attributes:
        heading: the question.
        subject: what was studied, at which scale, with how many networks and seeds, and how long that took.
        findings: what is said of each claim.
    """

    heading: str
    subject: str
    source: str
    cards: list[Card]
    findings: list[Claim]
    figures: list[Figure]
    undrawn: list[str]
    results: list[Table]
    tables: list[Table]
    settings: list[tuple[str, str]]
    limits: list[str]
    failed: list[Failed]
    warnings: list[str]
    provenance: list[tuple[str, str]]


def build_study(study: StudyData, folder: Path) -> StudyPage:
    """Compute a study's page, and write its figures.

    Args:
        study: what its directory says.
        folder: where the figures go.
    """
    run = RunData(study.path, study.info, {})
    drawn, undrawn = _drawn(study, folder)
    wide = wide_tables(study.results)
    limits = study.info.get("limits")
    return StudyPage(
        heading=tidy(study.info.get("question") or _name(study), 300),
        subject=_subject(study, run),
        source=tidy(study.info.get("source") or "", 200),
        cards=cards_of(study.info, study.findings),
        findings=_by_claim(study.findings, study.info.get("words") or {}),
        figures=drawn,
        undrawn=undrawn,
        results=wide,
        tables=heads(study.tables),
        settings=settings(study.configuration),
        limits=[prose(limit) for limit in limits] if isinstance(limits, list) else [],
        failed=list(study.failed),
        warnings=warnings_of(run),
        provenance=[(what, value) for what, value in provenance(run) if what != "Configuration"],
    )


def _name(study: StudyData) -> str:
    work = study.configuration.get("work")
    return str(study.info.get("study") or (f"A sweep of {work}" if work else study.path.name))


def _subject(study: StudyData, run: RunData) -> str:
    settings = study.configuration
    named = RunData(run.path, {name: {"spec": settings.get(name)} for name in ("network", "images")}, {})
    told = [_name(study)] if study.info.get("question") else []
    scale = study.info.get("scale")
    told += [f"{tidy(scale)} scale"] if scale else []
    if isinstance(settings.get("network"), str) and isinstance(settings.get("images"), str):
        told.append(f"{network_name(named)} on {images_name(named)}")
    networks = max((t["network"].nunique() for t in study.tables.values() if "network" in t.columns), default=0)
    told += [count(networks, "network")] if networks else []
    told += [count(study.jobs, "job")] if study.jobs and study.jobs != networks else []
    seeds = study.results["seed"].dropna().nunique() if "seed" in study.results.columns else 0
    told += [count(seeds, "seed")] if seeds else []
    seconds = study.info.get("seconds")
    told += [_time(float(seconds))] if isinstance(seconds, (int, float)) else []
    return " · ".join(told)


def _time(seconds: float) -> str:
    """A time as a person says it.

    Example:
        >>> _time(42.4), _time(600), _time(9000)
        ('42 seconds', '10 minutes', '2.5 hours')
    """
    if seconds < 90:
        return count(round(seconds), "second")
    return count(round(seconds / 60), "minute") if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _by_claim(findings: Sequence[Finding], words: Mapping[str, str]) -> list[Claim]:
    """Findings on the same claim together, in the order of the claims; what is only said comes last.

    A run may have words of its own for the verdicts; what it groups by them is not counted again.
    """
    claims = sorted(dict.fromkeys(finding.claim for finding in findings), key=lambda claim: claim == "")
    return [_claim(claim, [finding for finding in findings if finding.claim == claim], words) for claim in claims]


def _claim(text: str, findings: Sequence[Finding], words: Mapping[str, str]) -> Claim:
    judged = [finding.verdict for finding in findings if finding.verdict]
    counted = [f"{SAID[verdict]} in {judged.count(verdict)}" for verdict in SAID if verdict and verdict in judged]
    summary = f"{listed(counted)} of {len(judged)}" if len(judged) > 1 and not words else ""
    told = [
        {
            "sign": MARKS[finding.verdict],
            "words": prose(words.get(finding.verdict) or SAID[finding.verdict])[:24],
            "style": finding.verdict.replace(" ", "-") or "only",
            "sentence": finding.sentence,
        }
        for finding in findings
    ]
    return Claim(f"{text[:1].upper()}{text[1:]}", summary, told)


def _drawn(study: StudyData, folder: Path) -> tuple[list[Figure], list[str]]:
    """The figures, and a sentence for each that cannot be drawn."""
    figures, undrawn, left = [], [], _PAGE_BYTES
    for spec in study.specs:
        table = study.tables.get(spec.table)
        why = f"there is no table {spec.table}.parquet"
        drawn = why if table is None else draw_spec(spec, table, study.results, study.path)
        if isinstance(drawn, str):
            undrawn.append(tidy(f"“{spec.title}” is not drawn, because {drawn}."))
            continue
        svg = lightened(inline(save(drawn, folder), drawn.name))
        left -= len(svg)
        # A page that grows without end cannot be read; the files beside it hold the drawing all the same.
        kept = svg if left > 0 else ""
        figures.append(Figure(drawn.name, prose(drawn.title), prose(drawn.caption), prose(drawn.alternative), kept))
    return figures, undrawn
