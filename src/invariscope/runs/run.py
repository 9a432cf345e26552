"""A finished measurement: its tables, and where they lie."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.core.errors import RunError


class Run:
    """A run directory, read on demand.

    Args:
        path: the directory that `measure` wrote.

    Raises:
        RunError: there is no finished run.

    Attributes:
        info: what run.json says.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        file = self.path / "run.json"
        if not file.exists():
            unfinished = (self.path / ".plan.json").exists()
            raise RunError(
                f"{self.path} holds an unfinished run; repeat its command with --resume."
                if unfinished
                else f"{self.path} is no run: it has no run.json; give the directory that --out named."
            )
        try:
            self.info: dict[str, Any] = json.loads(file.read_text())
        except ValueError as error:
            raise RunError(f"{file} is damaged: {error}; measure again with --overwrite.") from error
        if not isinstance(self.info, dict):
            raise RunError(f"{file} is damaged: it holds no object; measure again with --overwrite.")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def table(self, name: str) -> pd.DataFrame:
        """One table of the run directory; empty when this kind of run has none.

        Args:
            name: "units", "layers", "curves", "softmax", "predictions", "thresholds", "outcomes" or "verdicts".

        Raises:
            RunError: the file is damaged.
        """
        file = self.path / f"{name}.parquet"
        if not file.exists():
            return pd.DataFrame()
        try:
            return pd.read_parquet(file)
        except (OSError, ValueError) as error:
            raise RunError(f"{file} is damaged: {error}; measure again with --overwrite.") from error

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """The answer: per strength and group, what tolerates it."""
        return self.table("verdicts")

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Accuracy, agreement and softmax against magnitude."""
        return self.table("curves")

    @cached_property
    def softmax(self) -> pd.DataFrame:
        """Mean softmax of the top three predicted classes, and of the best of the others."""
        return self.table("softmax")

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """How often each class was predicted, per strength."""
        return self.table("predictions")

    @cached_property
    def thresholds(self) -> pd.DataFrame:
        """The magnitudes at which a quality falls below a level."""
        return self.table("thresholds")

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """What was predicted for every image, per strength; empty for very many images and for older runs."""
        return self.table("outcomes")

    @cached_property
    def layers(self) -> pd.DataFrame:
        """The measures' distribution over the units of each layer."""
        return self.table("layers")

    @cached_property
    def units(self) -> pd.DataFrame:
        """Every measure of every unit; one file per layer where units are positions."""
        folder = self.path / "units"
        if folder.is_dir():
            return pd.concat([pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))], ignore_index=True)
        return self.table("units")

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report; returns where it lies.

        Args:
            path: the HTML file; None is report.html in the run directory.
        """
        # The report stands on a higher floor, which a convenience for notebooks may reach by name only.
        from importlib import import_module

        page = import_module("invariscope.report.page")
        return Path(page.make_report(self.path, None if path is None else Path(path)))
