"""Networks whose answers are known, as a study sees them, and a study's jobs done here."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from torch import Tensor, nn

from invariscope.grids.run import run_grid
from invariscope.grids.store import read_tables
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.networks.recipe import Recipe
from invariscope.responses.recorder import Strength
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import ParadigmStudy
from invariscope.training.sets import make_sets
from invariscope.transformations.base import TRANSFORMATIONS


def observed(
    values: Tensor,
    labels: Sequence[int],
    module: nn.Module,
    seen: Sequence[str] = (),
    transformation: tuple[str, float] = ("inversion", 1.0),
) -> Observed:
    """A network beside images of one pixel row each, grey levels 0 to 1; classes are called by letters."""
    classes = tuple("abcdefgh"[: max(labels) + 1])
    images = Images(values[:, None, None, :].float(), list(labels), classes)
    recipe = Recipe(size=(1, values.shape[1]), channels=1)
    network = Network(module.eval(), recipe=recipe, classes=classes, seen=tuple(seen) or None)
    name, magnitude = transformation
    return Observed(network, make_sets(images, images, recipe), Strength(TRANSFORMATIONS[name](), magnitude, 0))


def done(study: ParadigmStudy, folder: Path) -> dict[str, pd.DataFrame]:
    """All jobs of a study, one after another in this process; the tables with the study's own."""
    jobs = study.jobs()
    run_grid(jobs, folder, "serial", retries=0).check()
    tables = study.named(read_tables(jobs, folder))
    results = study.results(tables)
    return {**tables, **study.more(tables, results), "results": results}


def check_figures(study: ParadigmStudy, tables: dict[str, pd.DataFrame]) -> None:
    """Every figure finds its table, its columns and some rows in it."""
    for figure in study.figures():
        asked = figure.plain()
        rows = tables[figure.table]
        used = [figure.x, figure.y, figure.panel, asked.get("colour"), asked.get("value"), *figure.where]
        assert {column for column in used if column} <= set(rows.columns), figure.name
        for column, wanted in figure.where.items():
            rows = rows[rows[column].isin(wanted if isinstance(wanted, list) else [wanted])]
        assert len(rows), figure.name
