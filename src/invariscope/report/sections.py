"""What stands in each section of the page, as plain values for the template."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from invariscope.core.words import count, family_order, number, percent, percent_interval, spoken, tidy, title
from invariscope.report.answers import Answer, answer_all
from invariscope.report.cautions import FEW_IMAGES, cautions
from invariscope.report.figures.base import FIGURES
from invariscope.report.finding import findings, rises
from invariscope.report.ink import Drawn, inline, save, styled
from invariscope.report.limits import nearest, rank_classes
from invariscope.report.pictures import DrivenLayer, Strip, driven_layers, strips
from invariscope.report.provenance import images_name, network_name, provenance, warnings_of
from invariscope.report.read import RunData
from invariscope.report.sentences import invariant_limit, lead, limit_interval, main_answer, safe_range, strength
from invariscope.report.tables import Table, long_tables, verdict_row

# These are sheets for the folder of figures; on the page their images stand one by one, each with its own text.
_SHEETS = ("examples", "driving")
_DRIVING_IMAGES = 2


@dataclass(frozen=True)
class Figure:
    """A figure on the page: the drawing in place, and the names of its files."""

    name: str
    title: str
    caption: str
    alternative: str
    svg: str


@dataclass(frozen=True)
class Card:
    """One of the answers that a reader takes away."""

    question: str
    answer: str
    detail: str
    kind: str = ""


@dataclass(frozen=True)
class Section:
    """One run on the page.

    Attributes:
        prefix: distinguishes the names of anchors from those of other parts.
    """

    prefix: str
    heading: str
    subject: str
    lead: list[str]
    findings: list[str]
    cards: list[Card]
    verdicts: list[dict[str, object]]
    quality: str
    level: str
    figures: dict[str, list[Figure]]
    strips: list[tuple[Answer, list[Strip]]]
    driven: list[tuple[DrivenLayer, str]]
    picked: int
    picked_driven: int
    tables: list[Table]
    cautions: list[tuple[str, str]]
    provenance: list[tuple[str, str]]
    warnings: list[str]
    parts: list["Section"] = field(default_factory=list)


def build(run: RunData, folder: Path, prefix: str = "") -> Section:
    """Compute a run's section, and those of its parts, and write their figures.

    Args:
        run: the run.
        folder: where the figures go.
        prefix: of the names of figures and anchors.
    """
    answers = answer_all(run)
    with styled():
        figures = {name: [_figure(d, folder, prefix, name) for d in FIGURES[name](run, answers)] for name in FIGURES}
    main = main_answer(answers)
    drawn = [figure.name.removeprefix(f"{prefix}layers-") for figure in figures["layers"]]
    written = {answer.name: answer.axis.write for answer in answers}
    driven = [
        (_fewer(group, main), written.get(group.transformation, number)(group.magnitude))
        for group in sorted(driven_layers(run), key=lambda group: family_order(group.transformation))
    ]
    return Section(
        prefix=prefix,
        heading=run.title or _heading(run, answers),
        subject=_subject(run, answers),
        lead=lead(run, answers),
        findings=findings(run.tables["paradigm"]),
        cards=_cards(run, answers) or _paradigm_cards(run.tables["paradigm"]),
        verdicts=[verdict_row(answer) for answer in answers],
        quality=answers[0].quality if answers else "accuracy",
        level=percent(answers[0].level) if answers else "",
        figures=figures,
        strips=[(answer, each) for answer in answers if (each := strips(run, answer.axis))],
        driven=driven,
        picked=_place(drawn, main),
        picked_driven=_place([group.transformation for group, _ in driven], main),
        tables=long_tables(run, answers),
        cautions=cautions(run, answers) if answers else [],
        provenance=provenance(run),
        warnings=warnings_of(run),
        parts=[build(part, folder, f"{prefix}part{place}-") for place, part in enumerate(run.parts, 1)],
    )


def _place(names: Sequence[str], main: Answer | None) -> int:
    return names.index(main.name) if main is not None and main.name in names else 0


def _fewer(group: DrivenLayer, main: Answer | None) -> DrivenLayer:
    """Fewer images per unit for all transformations but the main one, so that the page stays small."""
    most = 3 if main is not None and group.transformation == main.name else _DRIVING_IMAGES
    units = {role: tuple(replace(u, images=u.images[:most]) for u in each) for role, each in group.units.items()}
    return replace(group, units=units)


def _figure(drawn: Drawn, folder: Path, prefix: str, kind: str) -> Figure:
    named = Drawn(prefix + drawn.name, drawn.title, drawn.caption, drawn.alternative, drawn.figure)
    text = save(named, folder)
    # The drawing library escapes all text; nothing else in the drawing comes from outside.
    svg = "" if kind in _SHEETS else inline(text, named.name)
    return Figure(named.name, drawn.title, drawn.caption, drawn.alternative, svg)


def _heading(run: RunData, answers: Sequence[Answer]) -> str:
    if not answers and run.parts:
        return "Does invariance carry over to classes that were never seen transformed?"
    images = images_name(run)
    return f"{network_name(run)} on {images}" if images else network_name(run)


def _subject(run: RunData, answers: Sequence[Answer]) -> str:
    told = [f"{network_name(run)} on {images_name(run)}"] if run.title and run.info.get("network") else []
    images = run.info.get("images") or {}
    told += [count(int(images["n"]), "image")] if images.get("n") else []
    told += [count(len(answers), "transformation")] if answers else []
    return " · ".join(told)


def _cards(run: RunData, answers: Sequence[Answer]) -> list[Card]:
    main = main_answer(answers)
    if main is None:
        return []
    name = spoken(main.name)
    cards = []
    if main.safe:
        intervals = " ".join(text for limit in main.safe if (text := limit_interval(limit)))
        keeps = f"keeps at least {percent(main.level)} of clean {main.quality}"
        detail = f"{keeps}; 95 % intervals {intervals}" if intervals else keeps
        cards.append(Card(f"Largest safe {name}", safe_range(main), detail))
    ranked = rank_classes([answer.axis for answer in answers], [answer.limits for answer in answers])
    if len(ranked) > 1:
        worst, share = ranked[0]
        own = f"; {name} only to {_class_reach(main, worst)}" if _class_reach(main, worst) else ""
        few = min((limit.n for answer in answers for limit in answer.limits.get(worst, ())), default=0)
        own += f"; from {count(few, 'image')} only" if 0 < few < FEW_IMAGES else ""
        cards.append(Card("Worst class", tidy(worst, 30), f"tolerates {percent(share)} of what all classes do{own}"))
    elif len(main.limits) > 2:
        most = max(limit.n for name, each in main.limits.items() if name != "all" for limit in each)
        cards.append(Card("Worst class", "cannot be told", f"at most {count(most, 'image')} per class"))
    if main.profile is not None and main.profile.last is not None:
        place = main.profile.becomes_invariant
        found = tidy(main.profile.layers[place], 30) if place is not None else "at no layer"
        found = "at the first layer" if place == 0 else found
        where = f"layer {place + 1} of {len(main.profile.layers)}" if place is not None else "up to the last hidden one"
        where = tidy(main.profile.layers[0], 30) if place == 0 else where
        cards.append(Card("Becomes invariant", found, f"{where}, for {strength(main)}"))
    if main.row and main.verdict != "unknown":
        share, low, high = main.value("invariant_share"), main.value("low"), main.value("high")
        detail = f"{strength(main)}: {percent(share)} {percent_interval(low, high)} of active units are invariant"
        if main.profile is not None and main.profile.last is not None:
            mean, null = main.profile.mean[main.profile.last], main.profile.null[main.profile.last]
            but = "but " if main.profile.weak(invariant_limit(run)) else ""
            detail += f"; {but}the mean coefficient is {mean:.2f} and that of different images {null:.2f}"
        answer = {"invariance": "yes", "mixed": "in part", "neither": "no, neither"}.get(
            main.verdict, f"no: {main.verdict}"
        )
        cards.append(Card("Is it invariance?", answer, detail, main.verdict.replace(" ", "-")))
    return cards


def _paradigm_cards(table: pd.DataFrame) -> list[Card]:
    cards = []
    for name, rows in table.groupby("transformation", sort=False):
        few, many = rows[rows["k"] == rows["k"].min()], rows[rows["k"] == rows["k"].max()]
        if few["k"].iloc[0] == many["k"].iloc[0]:
            continue
        share = f"{percent(few['across'].mean())} → {percent(many['across'].mean())}"
        units = f"{few['invariance_unseen'].mean():.2f} → {many['invariance_unseen'].mean():.2f}"
        seen = f"with {number(few['k'].iloc[0])} → {number(many['k'].iloc[0])} classes seen transformed"
        kind = "invariance" if rises(few, many, "across") else ""
        question = f"{title(str(name))}: unseen classes recognised"
        cards.append(Card(question, share, f"{seen}; invariance {units}", kind))
    return cards


def _class_reach(answer: Answer, name: str) -> str:
    limit = nearest(answer.axis, answer.limits.get(name, ()))
    return "" if limit is None or limit.censored or answer.axis.switch else answer.axis.write(limit.reach, 2)
