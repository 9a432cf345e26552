"""`invariscope thresholds`: how far each image and each class goes until an answer gives way, at a fine resolution."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from invariscope.cli.configuration import write
from invariscope.cli.options import Names, Shared, split
from invariscope.cli.output import note, print_json, print_table, records
from invariscope.core.errors import SettingError

WHERE = Group("Where it is searched", sort_key=1)
WHAT = Group("What is searched for", sort_key=2)
_LEVELS = "0.9,0.5"


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Where thresholds are searched, and of what.

    Args:
        transformations: names, separated by commas; every one whose magnitudes have an order when it is left out.
        resolution: the size of a step, as in rotation=1, separated by commas; about a 200th of the default grid when it
            is left out.
        within: the ends of the search, as in rotation=-45:45, separated by commas; those of the default grid when it is
            left out.
        sides: magnitudes above the identity (+), below it (-), or both.
        criteria: accuracy, agreement, softmax, first-flip, separated by commas; all that the images allow when it is
            left out.
        levels: shares of the clean value, separated by commas.
        limit: at most so many images, as many of each class.
        classes: file of the outputs' names, one per line.
        batch_size: images per forward pass; chosen by the size of the images when it is left out.
        replicates: bootstrap resamples behind each interval.
    """

    transformations: Annotated[Names, Parameter(group=WHERE)] = None
    resolution: Annotated[Names, Parameter(group=WHERE)] = None
    within: Annotated[Names, Parameter(group=WHERE)] = None
    sides: Annotated[Literal["both", "+", "-"], Parameter(group=WHERE, allow_leading_hyphen=True)] = "both"
    criteria: Annotated[Names, Parameter(group=WHAT)] = None
    levels: Annotated[str, Parameter(group=WHAT)] = _LEVELS
    limit: Annotated[int | None, Parameter(group=WHAT)] = None
    classes: Annotated[Path | None, Parameter(group=WHAT)] = None
    batch_size: Annotated[int | None, Parameter(group=WHAT)] = None
    replicates: Annotated[int, Parameter(group=WHAT)] = 1000


def thresholds(
    network: str,
    images: str,
    *,
    options: Options = Options(),
    shared: Shared = Shared(),
) -> None:
    """Find the magnitude at which the answer for each image, and the mean of each class, first gives way.

    A coarse sweep brackets each fall and halves the bracket, in a quarter to a third of the passes of a sweep at the
    same resolution.

    Args:
        network: as for the command measure.
        images: as for the command measure; without labels, predictions are compared with the clean ones.
        options: where thresholds are searched, and of what.
        shared: what every command has.
    """
    given = asdict(options)
    levels = parse_levels(options.levels)
    lists = {name: split(given[name]) for name in ("transformations", "resolution", "within", "criteria")}
    out = shared.folder("thresholds")

    from invariscope.cli.work import working
    from invariscope.studies.thresholds import conduct_thresholds

    with working(shared, out) as progress:
        conduct_thresholds(
            network,
            images,
            out,
            **lists,
            levels=levels,
            sides=options.sides,
            limit=options.limit,
            class_names=options.classes,
            batch_size=options.batch_size,
            replicates=options.replicates,
            device=shared.device,
            seed=shared.seed,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    _finish(out, shared, {"network": network, "images": images, **given, **lists})


def parse_levels(text: str) -> list[float]:
    """Levels as they are typed.

    Args:
        text: numbers with commas between them.

    Raises:
        SettingError: one is no number, or there is none.

    Example:
        >>> parse_levels("0.9,0.5")
        [0.9, 0.5]
    """
    try:
        found = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        found = []
    if not found:
        raise SettingError(f"--levels takes shares of the clean value, as in {_LEVELS}; got {text!r}.")
    return found


def _finish(out: Path, shared: Shared, options: dict[str, Any]) -> None:
    import pandas as pd

    from invariscope.report.page import make_report

    write(out / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    page = make_report(out)
    info = json.loads((out / "run.json").read_text(encoding="utf-8"))
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    for warning in info["warnings"]:
        note(f"note: {warning}", shared)
    if shared.json:
        tables = {
            name: records(pd.read_parquet(out / f"{name}.parquet")) for name in ("thresholds", "medians", "costs")
        }
        told = {name: info[name] for name in ("clean_accuracy", "passes", "dense_passes", "ratio")}
        counts = {"n_images": info["images"]["n"], "n_skipped": info["images"]["skipped"]}
        sentences = {"findings": [each["sentence"] for each in findings]}
        more = {"warnings": info["warnings"], "seconds": info["seconds"]}
        print_json({"run": out, "report": page, **told, **counts, **tables, **sentences, **more})
    elif shared.quiet:
        print(page)
    else:
        print(f"\n{info['question']}\n")
        print_table(_summary(pd.read_parquet(out / "medians.parquet"), pd.read_parquet(out / "thresholds.parquet")))
        print(f"\n{findings[-1]['sentence']}\nReport: {page}")


def _summary(medians: Any, thresholds: Any) -> list[dict[str, Any]]:
    """A row per transformation and side: its median image, and where the means of all images fall."""
    rows = []
    medians = medians[medians["class"] == "all"]
    for (name, side), own in thresholds[thresholds["class"] == "all"].groupby(["transformation", "side"], sort=False):
        here = medians[(medians["transformation"] == name) & (medians["side"] == side)]
        flips = here[here["criterion"] == "first-flip"]
        row = {"transformation": name, "side": side, "unit": here["unit_of_measure"].iloc[0]}
        if len(flips):
            row["median image"] = _told(flips["median"].iloc[0], bool(flips["censored"].iloc[0]))
        for each in own[own["criterion"] != "first-flip"].to_dict("records"):
            row[f"{each['criterion']} {each['level']:g}"] = _told(each["threshold"], bool(each["censored"]))
        rows.append(row)
    return rows


def _told(value: float, censored: bool) -> float | str:
    return "beyond" if censored else value
