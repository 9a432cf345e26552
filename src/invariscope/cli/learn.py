"""`invariscope learn`: which transformations does a network ignore."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from invariscope.cli.options import Flag, Names, Shared, split
from invariscope.cli.output import note, print_json

WHAT = Group("What is learnt", sort_key=1)
HOW = Group("How it is learnt", sort_key=2)
SURE = Group("How it is certified", sort_key=3)
_HEADS = ("colour", "spatial")


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Which transformations are learnt, and how.

    Args:
        heads: kinds of transformation, separated by commas: colour, spatial, convolution, displacement.
        target: what is to stay: right classes (labels), the network's own answers to the clean images (agreement), one
            unit's response (unit, with --layer and --unit) or the direction of a layer's response (layer).
        layer: the site whose response is to stay; see the command layers.
        unit: the number of the unit within the site.
        distinct: weight of a penalty on the two components of k doing the same.
        steps: batches.
        batch_size: images per batch.
        k_per_batch: how many control parameters share a batch.
        learning_rate: of Adam.
        colour_weight: of the colour head's loss beside the spatial one's (c_theta of the paper).
        tolerance: how far accuracy may fall, on the images that are learnt from, before the next step repairs it.
        literal: loss, gate and start as the paper has them, without what makes learning stable.
        limit: at most so many images to learn from, as many of each class.
        holdout: images of the set that are kept for the certificate, a share or a number, where --test names none.
        target_accuracy_share: share of the original accuracy that the certificate requires.
        criterion: of the worst k on the grid, or of the mean over it.
    """

    heads: Annotated[Names, Parameter(group=WHAT, show_default=lambda _: ",".join(_HEADS))] = None
    target: Annotated[Literal["labels", "agreement", "unit", "layer"], Parameter(group=WHAT)] = "labels"
    layer: Annotated[str | None, Parameter(group=WHAT)] = None
    unit: Annotated[int | None, Parameter(group=WHAT)] = None
    distinct: Annotated[float, Parameter(group=WHAT)] = 0.0
    steps: Annotated[int, Parameter(group=HOW)] = 400
    batch_size: Annotated[int, Parameter(group=HOW)] = 64
    k_per_batch: Annotated[int, Parameter(group=HOW)] = 8
    learning_rate: Annotated[float, Parameter(group=HOW)] = 1e-3
    colour_weight: Annotated[float, Parameter(group=HOW)] = 1.0
    tolerance: Annotated[float, Parameter(group=HOW)] = 0.02
    literal: Annotated[Flag, Parameter(group=HOW)] = False
    limit: Annotated[int | None, Parameter(group=HOW)] = None
    holdout: Annotated[float, Parameter(group=SURE)] = 0.1
    target_accuracy_share: Annotated[float, Parameter(group=SURE)] = 0.95
    criterion: Annotated[Literal["worst", "mean"], Parameter(group=SURE)] = "worst"


def learn(
    network: str,
    images: str,
    *,
    test: str | None = None,
    options: Options = Options(),
    shared: Shared = Shared(),
) -> None:
    """Learn which transformations a network ignores: the Invariant Transformer Net of Bunne et al.

    A small module in front of the network learns a family of colour and spatial transformations, steered by k, that is
    as large as the network's answers allow; held-out images then say at which scale they are kept.

    Args:
        network: as for the command measure.
        images: to learn from, as for the command measure; without labels, answers are compared with the clean ones.
        test: images for the certificate; a part of IMAGES when it is left out.
        options: which transformations are learnt, and how.
        shared: what every command has.
    """
    given = asdict(options)
    heads = split(options.heads) or list(_HEADS)
    out = shared.folder("learn")

    from invariscope.cli.work import working
    from invariscope.learned.settings import LearnSettings
    from invariscope.studies.learn import conduct_learn

    numbers = {name: value for name, value in given.items() if name not in ("heads", "limit", "holdout")}
    settings = LearnSettings(heads=tuple(heads), holdout=_share_or_number(options.holdout), **numbers)
    with working(shared, out) as progress:
        conduct_learn(
            network,
            images,
            out,
            settings,
            test=test,
            limit=options.limit,
            device=shared.device,
            seed=shared.seed,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    _finish(out, shared, {"network": network, "images": images, "test": test, **given, "heads": heads})


def _share_or_number(holdout: float) -> float | int:
    """A share as it is typed, or from 1 on a number of images."""
    return int(holdout) if holdout >= 1 else holdout


def _finish(out: Path, shared: Shared, options: dict[str, Any]) -> None:
    import json

    from invariscope.cli.configuration import write
    from invariscope.cli.output import records
    from invariscope.report.page import make_report

    write(out / "configuration.toml", {**options, "device": shared.device, "seed": shared.seed})
    page = make_report(out)
    info = json.loads((out / "run.json").read_text(encoding="utf-8"))
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    for warning in info["warnings"]:
        note(f"note: {warning}", shared)
    if shared.json:
        import pandas as pd

        tables = {name: records(pd.read_parquet(out / f"{name}.parquet")) for name in ("family", "certificate")}
        told = {"run": out, "report": page, **info["answer"], "findings": [each["sentence"] for each in findings]}
        print_json({**told, **tables, "warnings": info["warnings"], "seconds": info["seconds"]})
    elif shared.quiet:
        print(page)
    else:
        print(f"\n{info['question']}\n")
        for finding in findings:
            print(_wrapped(finding["sentence"]))
        print(f"\nTransformer: {out / 'transformer.safetensors'}\nReport: {page}")


def _wrapped(sentence: str) -> str:
    """A sentence broken into lines on a terminal, one line in a pipe."""
    import shutil
    import sys
    import textwrap

    if not sys.stdout.isatty():
        return sentence
    return textwrap.fill(sentence, min(shutil.get_terminal_size().columns, 110), subsequent_indent="  ")
