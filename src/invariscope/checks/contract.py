"""What a network is held to: requirements, as a contract file lists them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Quality = Literal["accuracy", "agreement", "softmax"]
QUALITIES: tuple[str, ...] = ("accuracy", "agreement", "softmax")
LEVEL = 0.9


@dataclass(frozen=True)
class Requirement:
    """One thing that is required: a quality at magnitudes, or a threshold.

    Either `magnitudes` and `at_least` are given: the quality reaches `at_least` at each of them. Or
    `threshold_at_least`: the quality does not fall below `level` times its clean value before that magnitude.
    Where `classes` are named, it holds for each of them.

    Args:
        transformation: its name.
        magnitudes: at which the quality is required; empty for a threshold.
        at_least: what the quality must reach there; 0 to 1.
        threshold_at_least: the magnitude that the threshold must reach; as far from the identity on both sides.
        level: of the threshold: a share of the clean value, above 0, at most 1.
        side: of the threshold: "+", "-", or "" for every side that the transformation has.
        quality: "accuracy", "agreement" (with the clean prediction) or "softmax" (the mean of the true class's).
        classes: names; none stands for all images together.
        name: what the person calls it.

    Example:
        >>> Requirement("rotation", (15.0,), 0.8).is_threshold
        False
    """

    transformation: str
    magnitudes: tuple[float, ...] = ()
    at_least: float = math.nan
    threshold_at_least: float | None = None
    level: float = LEVEL
    side: str = ""
    quality: str = "accuracy"
    classes: tuple[str, ...] = ()
    name: str = ""

    @property
    def is_threshold(self) -> bool:
        """Whether a threshold is required, and not a quality."""
        return self.threshold_at_least is not None

    def plain(self) -> dict[str, Any]:
        """The keys and values of a contract file; those that have their usual value are left out.

        Example:
            >>> Requirement("rotation", threshold_at_least=12.0, side="+").plain()
            {'transformation': 'rotation', 'threshold_at_least': 12.0, 'level': 0.9, 'side': '+', 'quality': 'accuracy'}
        """
        told: dict[str, Any] = {"name": self.name} if self.name else {}
        told["transformation"] = self.transformation
        if self.is_threshold:
            told |= {"threshold_at_least": self.threshold_at_least, "level": self.level}
            told |= {"side": self.side} if self.side else {}
        else:
            several = len(self.magnitudes) > 1
            told["magnitude"] = list(self.magnitudes) if several else self.magnitudes[0]
        told["quality"] = self.quality
        told |= {} if self.is_threshold else {"at_least": self.at_least}
        return told | ({"classes": list(self.classes)} if self.classes else {})


@dataclass(frozen=True)
class Contract:
    """Requirements, and on which network and images they are checked.

    Args:
        requirements: in the order of the file.
        name: of the contract.
        check: the table [check]: `network`, `images`, and other settings of a check; may be empty.
        source: where it was read: a file's path, for messages.
        text: the file, as the person wrote it.
    """

    requirements: tuple[Requirement, ...]
    name: str = ""
    check: Mapping[str, Any] = field(default_factory=dict)
    source: str = "the contract"
    text: str = ""

    def at(self, place: int) -> str:
        """How messages name a requirement.

        Args:
            place: of the requirement, from 0.

        Example:
            >>> Contract((Requirement("hue", (10.0,), 0.9),), source="contract.toml").at(0)
            'contract.toml, requirement 1'
        """
        return f"{self.source}, requirement {place + 1}"

    def plain(self) -> dict[str, Any]:
        """All that decides what is checked, as plain values."""
        return {"requirements": [requirement.plain() for requirement in self.requirements]}


def as_toml(contract: Contract, comment: str = "") -> str:
    """A contract as the text of a file, which reads as the same contract.

    Args:
        contract: what is written.
        comment: lines to begin with.

    Example:
        >>> print(as_toml(Contract((Requirement("rotation", (15.0,), 0.8),))), end="")
        [[require]]
        transformation = "rotation"
        magnitude = 15
        quality = "accuracy"
        at_least = 0.8
    """
    blocks = ["".join(f"# {line}\n" for line in comment.splitlines())] if comment else []
    blocks += [f"name = {_toml(contract.name)}\n"] if contract.name else []
    if contract.check:
        blocks.append("[check]\n" + _lines(contract.check))
    blocks += ["[[require]]\n" + _lines(requirement.plain()) for requirement in contract.requirements]
    return "\n".join(blocks)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    return f'"{escaped}"'
