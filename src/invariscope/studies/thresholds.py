"""Thresholds of a network by bracketing, from its settings to its directory."""

import math
import shutil
import warnings as python_warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from invariscope.core.errors import ImageError, SettingError
from invariscope.core.progress import Progress, Silent
from invariscope.core.words import listed, spoken
from invariscope.findings.record import Record
from invariscope.findings.write import write_tables
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.images.prepared import Prepared
from invariscope.networks.load import load_network
from invariscope.networks.network import Network, as_network
from invariscope.runs.device import choose_batch_size, choose_device
from invariscope.runs.groups import read_lines
from invariscope.runs.store import Store
from invariscope.studies.network_names import network_labels
from invariscope.studies.thresholds_figures import drawn_tables, figures
from invariscope.studies.thresholds_findings import cards, findings, limits
from invariscope.tolerance.examination import Examination
from invariscope.tolerance.resample import REPLICATES
from invariscope.tolerance.search import Found
from invariscope.tolerance.search_steps import Outward, Resolution, Within, by_family, outward_sides
from invariscope.tolerance.search_work import Part, Search, allowed, check_criteria
from invariscope.tolerance.thresholds import LEVELS, check_levels
from invariscope.transformations.select import Names

_TABLES = ("images", "thresholds", "medians", "costs")
_NAMES = ("image_thresholds", "thresholds", "medians", "costs", "results", "kept", "shown")
_WRITTEN = (*(f"{name}.parquet" for name in _NAMES), "findings.json", "figures.json")


def conduct_thresholds(
    network: Network | nn.Module | Callable[..., Any] | str,
    images: Images | str | Path,
    out: Path,
    *,
    transformations: Names = None,
    resolution: Resolution = None,
    within: Within = None,
    levels: Sequence[float] = LEVELS,
    criteria: Sequence[str] | None = None,
    sides: str = "both",
    limit: int | None = None,
    class_names: Sequence[str] | str | Path | None = None,
    batch_size: int | None = None,
    replicates: int = REPLICATES,
    device: str = "auto",
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
) -> Path:
    """Find the thresholds of every image and every class, and write what was found.

    `out` then holds `image_thresholds.parquet` (a row per image, criterion, level and side), `thresholds.parquet` (the
    columns of a measurement's), `medians.parquet` (the median image of every class), `costs.parquet`,
    `results.parquet`, `kept.parquet` (what is drawn), `findings.json`, `figures.json`, and `run.json`, written last,
    with the passes, those of a dense sweep, and their ratio.

    Args:
        network: a network, any module that takes [0, 1] images, or a specifier.
        images: images, or a specifier.
        out: the run directory.
        transformations: names or transformations; None is every one whose magnitudes have an order.
        resolution: the step by name, or "rotation=1".
        within: the ends by name, or "rotation=-45:45".
        levels: shares of the clean value.
        criteria: of "accuracy", "agreement", "softmax", "first-flip"; None is all that the images allow.
        sides: "both", "+" or "-".
        limit: at most so many images, class-balanced.
        class_names: one name per output, or a file of them.
        batch_size: images per forward pass; None chooses by image size.
        replicates: of the bootstrap over images.
        device: "auto", "cpu", "mps", "cuda" or "cuda:N".
        seed: of the draw of images, of noise and of the bootstrap.
        resume: go on with an interrupted search in `out`; transformations that are finished are not searched again.
        overwrite: replace the run in `out`.
        progress: told of every image that is shown or spared.
        command: the command line, for the record.

    Returns:
        `out`.

    Raises:
        InvariscopeError: bad input, in one sentence.

    Source: Bunne et al., sections IV-A and VI.
    """
    record = Record("thresholds", {}, command)
    check_levels(levels)
    check_criteria(criteria)
    _check_numbers(limit, batch_size, replicates, seed)
    where = choose_device(device)
    loaded = load_network(network) if isinstance(network, str) else as_network(network)
    pictures = load_images(str(images)) if isinstance(images, str | Path) else images
    pictures = pictures if limit is None else pictures.limit(limit, seed)
    prepared = pictures.fit(loaded.recipe)
    if not len(prepared):
        raise ImageError(f"{pictures.spec} holds no image that can be read ({prepared.n_skipped} were skipped).")
    ways = outward_sides(transformations, (prepared.height, prepared.width), resolution, within, sides)
    names = read_lines(class_names, "classes")
    prints = {"network": loaded.fingerprint, "recipe": repr(loaded.recipe), "images": pictures.fingerprint}
    configuration = {
        **{"network": loaded.spec, "images": pictures.spec, "limit": limit, "seed": seed},
        "transformations": {own[0].family.name: _grid(own) for own in by_family(ways)},
        **{"levels": list(levels), "criteria": None if criteria is None else list(criteria), "sides": sides},
        **{"class_names": names, "replicates": replicates},
        "fingerprints": {**prints, "transformations": [repr(own[0].family) for own in by_family(ways)]},
    }
    record = replace(record, configuration=configuration)
    store = Store.open(out, record.plan, resume=resume, overwrite=overwrite)
    if store.done:
        return out
    if overwrite:
        for name in _WRITTEN:
            (out / name).unlink(missing_ok=True)
    with store.filling(), python_warnings.catch_warnings():
        # A user's network may warn at every forward pass.
        python_warnings.simplefilter("ignore")
        loaded.to(where)
        size = batch_size or choose_batch_size(prepared.height, prepared.width, where)
        seen = Examination(loaded, prepared, seed=seed, batch_size=size, class_names=names)
        kept = allowed(criteria, labelled=seen.labelled)
        search = Search(seen, kept, tuple(levels), replicates, seed, progress or Silent())
        found = Found.of([_part(store, search, own) for own in by_family(ways)], seen)
    tables = {
        "image_thresholds": found.images,
        **{name: getattr(found, name) for name in ("thresholds", "medians", "costs")},
        **drawn_tables(found),
    }
    written = write_tables(out, tables, findings(found), figures(tables))
    record.write(
        out,
        study="thresholds",
        question=_question(loaded, ways),
        source="Bunne et al., sections IV-A and VI",
        limits=limits(found),
        cards=cards(found),
        tables=written,
        passes=found.passes,
        dense_passes=found.dense_passes,
        ratio=found.ratio,
        clean_accuracy=None if math.isnan(found.clean_accuracy) else found.clean_accuracy,
        network={"spec": loaded.spec, "fingerprint": loaded.fingerprint},
        images=_about(pictures, prepared, seen.labelled),
        seeds={"seed": seed},
        device=str(where),
        warnings=list(dict.fromkeys([*loaded.notes, *prepared.notes, *([found.message] if found.message else [])])),
    )
    shutil.rmtree(store.spool(), ignore_errors=True)
    return out


def _part(store: Store, search: Search, sides: Sequence[Outward]) -> Part:
    """What was found under one transformation: searched, or found before an interruption."""
    name = sides[0].family.name
    if not store.has(name):
        part = search(sides)
        store.add(name, {table: getattr(part, table) for table in _TABLES})
    folder = store.spool() / name
    return Part(**{table: pd.read_parquet(folder / f"{table}.parquet") for table in _TABLES})


def _grid(sides: Sequence[Outward]) -> str:
    ends = sorted({float(end) for side in sides for end in (side.magnitudes[0], side.magnitudes[-1])})
    return f"{ends[0]:g} to {ends[-1]:g} by {sides[0].resolution:g}"


def _question(network: Network, ways: Sequence[Outward]) -> str:
    label = network_labels([network.spec])[0]
    names = [spoken(own[0].family.name) for own in by_family(ways)]
    return f"How far can images change by {listed(names)} until {label} answers otherwise?"


def _about(images: Images, prepared: Prepared, labelled: bool) -> dict[str, Any]:
    return {
        "spec": images.spec,
        "fingerprint": images.fingerprint,
        "n": len(prepared),
        "skipped": prepared.n_skipped,
        "size": [prepared.height, prepared.width],
        "labelled": labelled,
    }


def _check_numbers(limit: int | None, batch_size: int | None, replicates: int, seed: int) -> None:
    least = {"limit": (limit, 1), "batch-size": (batch_size, 1), "replicates": (replicates, 20), "seed": (seed, 0)}
    for name, (value, most) in least.items():
        if value is not None and value < most:
            raise SettingError(f"{name} takes {most} or more; got {value}.")
