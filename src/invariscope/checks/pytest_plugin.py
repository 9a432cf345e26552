"""Contracts as tests of pytest: files NAME.invariscope.toml, and a fixture; nothing heavy is loaded until one runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from invariscope.checks.contract import Requirement
from invariscope.checks.read import read_contract
from invariscope.core.errors import InvariscopeError, SettingError

if TYPE_CHECKING:
    from invariscope.checks.checked import CheckRun

SUFFIX = ".invariscope.toml"


class NotKept(Exception):
    """A requirement fails or is undecided; the message says what was found."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ContractFile | None":
    """Collect a contract file.

    Args:
        file_path: any file in the folders that are searched.
        parent: its folder.
    """
    if not file_path.name.endswith(SUFFIX):
        return None
    found: ContractFile = ContractFile.from_parent(parent, path=file_path)
    return found


class ContractFile(pytest.File):
    """A contract: one test per requirement, and one check for all of them.

    The table [check] names the network and the images, seen from where pytest runs.
    """

    def collect(self) -> Iterator["RequirementItem"]:
        """One test per requirement.

        Raises:
            CollectError: the file is no contract, or does not say what is checked.
        """
        try:
            contract = read_contract(self.path)
        except SettingError as error:
            raise self.CollectError(str(error)) from error
        missing = [name for name in ("network", "images") if name not in contract.check]
        if missing:
            raise self.CollectError(f"{self.path}: name {' and '.join(missing)} in its table [check].")
        self._found: CheckRun | Exception | None = None
        for place, requirement in enumerate(contract.requirements):
            yield RequirementItem.from_parent(self, name=label(place, requirement), place=place)

    def found(self) -> "CheckRun":
        """The finished check; made when the first requirement asks for it."""
        if self._found is None:
            from invariscope.checks.check import check_contract

            try:
                self._found = check_contract(contract=self.path)
            except InvariscopeError as error:
                self._found = error
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


class RequirementItem(pytest.Item):
    """One requirement of a contract."""

    def __init__(self, *, place: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.place = place

    def runtest(self) -> None:
        """Pass, or say what was found.

        Raises:
            NotKept: the requirement fails, or is undecided and that is not allowed.
        """
        assert isinstance(self.parent, ContractFile)
        check = self.parent.found().check
        entry = check["requirements"][self.place]
        self.user_properties += [(name, entry[name]) for name in ("verdict", "estimate", "low", "high", "n")]
        if entry["verdict"] == "undecided" and check["allow_undecided"]:
            pytest.skip(told(entry))
        if entry["verdict"] != "passes":
            raise NotKept(told(entry))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *more: Any, **settings: Any) -> Any:
        """The sentence alone, where a sentence says it."""
        if isinstance(excinfo.value, NotKept | InvariscopeError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *more, **settings)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands, for pytest's own reports."""
        return self.path, None, f"{self.path.name}: {self.name}"


def label(place: int, requirement: Requirement) -> str:
    """The name of a requirement's test.

    Args:
        place: in its contract, from 0.
        requirement: itself.

    Example:
        >>> label(0, Requirement("rotation", (-15.0, 15.0), 0.8)), label(1, Requirement("hue", threshold_at_least=12.0))
        ('1-rotation--15,15-accuracy', '2-hue-threshold-12-accuracy')
    """
    if requirement.name:
        return f"{place + 1}-{requirement.name}"
    magnitudes = ",".join(f"{value:g}" for value in requirement.magnitudes)
    where = f"threshold-{requirement.threshold_at_least:g}" if requirement.is_threshold else magnitudes
    return f"{place + 1}-{requirement.transformation}-{where}-{requirement.quality}"


def told(entry: Mapping[str, Any]) -> str:
    """What was found for a requirement, and what its parts are.

    Args:
        entry: of check.json.
    """
    lines = [f"{entry['verdict']}: {entry['requirement']}. {entry['text']}"]
    for part in entry["parts"]:
        advice = f"; {part['advice']}" if part["advice"] else ""
        required = f"required {part['required_text']}"
        lines.append(f"  {part['verdict']}: {part['label']}: {part['found_text']}, {required}, n = {part['n']}{advice}")
    return "\n".join(lines)


def not_kept(check: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The requirements that break a contract.

    Args:
        check: the content of check.json.
    """
    fine = ("passes", "undecided") if check["allow_undecided"] else ("passes",)
    return [entry for entry in check["requirements"] if entry["verdict"] not in fine]


@pytest.fixture
def invariscope_check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., "CheckRun"]:
    """A function that holds a network to a contract, as `check_contract`, and fails the test unless it is kept.

    Its arguments are those of `invariscope.checks.check.check_contract`; without `out` the check lies in pytest's own
    temporary folder. It returns the check.
    """

    def check(network: Any = None, images: Any = None, contract: Any = None, **settings: Any) -> "CheckRun":
        from invariscope.checks.check import check_contract

        settings.setdefault("out", tmp_path_factory.mktemp("invariscope") / "check")
        run = check_contract(network, images, contract, **settings)
        if not run.kept:
            lines = [told(entry) for entry in not_kept(run.check)]
            pytest.fail("\n".join([*lines, f"All of it is in {run.path}."]), pytrace=False)
        return run

    return check
