"""A study of square roots: two quantities, three seeds, no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd

from invariscope.findings.figures import Figure, Lines
from invariscope.findings.finding import Finding
from invariscope.grids.job import Job
from invariscope.studies.base import Study, Tables


@dataclass(frozen=True)
class Inner:
    steps: int = 1


@dataclass(frozen=True)
class Tiny(Study):
    """Does the square root rise?

    Source: Euclid, book 10.
    """

    source = "Euclid, book 10"
    noun: ClassVar[str] = "roots"
    limits = ("It says nothing of negative numbers.",)
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {"smoke": {"x": (1.0, 4.0)}}

    x: tuple[float, ...] = (1.0, 4.0, 9.0)
    seeds: tuple[int, ...] = (0, 1)
    how: Literal["plain", "negative"] = "plain"
    pairs: tuple[tuple[str, float], ...] = (("a", 1.0),)
    layer: str | None = None
    inner: Inner = Inner()

    def jobs(self) -> list[Job]:
        return [
            Job("tiny_study:root", {"x": x, "seed": seed, "how": self.how}, label=f"root of {x:g}, seed {seed}")
            for x in self.x
            for seed in self.seeds
        ]

    def results(self, tables: Tables) -> pd.DataFrame:
        return tables["results"].assign(source=self.source)

    def findings(self, results: pd.DataFrame, tables: Tables) -> Sequence[Finding]:
        means = results.groupby("x")["value"].mean()
        rises = bool(means.is_monotonic_increasing)
        return [Finding(f"It goes to {means.max():g}.", "holds" if rises else "does not hold", "roots rise")]

    def figures(self) -> Sequence[Figure]:
        return [Lines(name="roots", title="Square roots", caption="", x="x", x_label="x", y_label="root")]


def root(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of one job."""
    if settings["x"] < 0:
        raise ValueError("math domain error")
    value = settings["x"] ** 0.5 * (-1 if settings["how"] == "negative" else 1) + settings["seed"] / 100
    row = {"x": settings["x"], "seed": settings["seed"], "quantity": "root", "value": value}
    return {
        "results": pd.DataFrame([row | {"low": float("nan"), "high": float("nan"), "n": 1, "unit_of_measure": "1"}])
    }
