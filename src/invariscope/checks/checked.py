"""A finished check: what was found, and whether the contract is kept."""

import json
from functools import cached_property
from typing import Any

import pandas as pd

from invariscope.core.errors import RunError
from invariscope.runs.run import Run


class CheckRun(Run):
    """The directory of a check, read on demand.

    Args:
        path: the directory that `check` wrote.

    Raises:
        RunError: there is no finished check.

    Attributes:
        info: what run.json says.
    """

    @cached_property
    def check(self) -> dict[str, Any]:
        """The content of check.json.

        Raises:
            RunError: the file is missing or damaged.
        """
        file = self.path / "check.json"
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{file} cannot be read: {error}; check again with --overwrite.") from error
        if not isinstance(content, dict):
            raise RunError(f"{file} is damaged: it holds no object; check again with --overwrite.")
        return content

    @property
    def requirements(self) -> list[dict[str, Any]]:
        """One entry per requirement: `verdict`, `estimate`, `low`, `high`, `n`, `needed`, `parts`."""
        return list(self.check["requirements"])

    @property
    def verdict(self) -> str:
        """The worst of the requirements' verdicts: "passes", "fails" or "undecided"."""
        return str(self.check["verdict"])

    @property
    def kept(self) -> bool:
        """Whether every requirement passes, or, where that was allowed, is undecided."""
        return bool(self.check["kept"])

    @cached_property
    def results(self) -> pd.DataFrame:
        """A row per part of a requirement."""
        return self.table("results")
