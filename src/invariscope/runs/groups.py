"""Classes that the network saw transformed in training, and classes that it did not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown


@dataclass(frozen=True)
class Groups:
    """Sets of images over which every measure is reported.

    Args:
        names: "all", and "seen" and "unseen" when the seen classes are known.
        weights: 1 where an image belongs to the group; shape (group, image).
        seen: names of the seen classes, or None.
    """

    names: tuple[str, ...]
    weights: Float[Tensor, "group image"]
    seen: tuple[str, ...] | None


def read_lines(source: str | Path | Sequence[str] | None, option: str) -> tuple[str, ...] | None:
    """Names from a file with one per line, or as they were given.

    Args:
        source: a file, or the names themselves, or None.
        option: for the message.

    Raises:
        SettingError: the file is missing, unreadable or empty.
    """
    if source is None:
        return None
    if isinstance(source, (str, Path)):
        path = Path(source)
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{option} takes a text file with one class per line; {path} is not one.") from error
        source = [line for line in lines if line]
    if not source:
        raise SettingError(f"{option} names no class; give one class per line.")
    return tuple(str(name) for name in source)


def make_groups(
    n_images: int, labels: Int[Tensor, " image"] | None, names: Sequence[str], seen: Sequence[str] | None
) -> Groups:
    """Split images by whether their class was seen transformed.

    Args:
        n_images: how many.
        labels: class per image; shape (image,), or None.
        names: of the classes, by label.
        seen: names of the seen classes, or None for no split.

    Raises:
        SettingError: a seen class is no class of the images, or the images have no labels.
    """
    everything = torch.ones(1, n_images)
    if seen is None:
        return Groups(("all",), everything, None)
    if labels is None:
        raise SettingError("group-classes needs labelled images: their class decides whether they were seen.")
    known = [name for index, name in enumerate(names) if bool((labels == index).any())]
    for name in seen:
        if name not in names:
            raise SettingError(f"group-classes: {unknown('class', name, known)}")
    member = torch.tensor([name in set(seen) for name in names])[labels]
    rows, titles = [everything[0]], ["all"]
    for title, mask in (("seen", member), ("unseen", ~member)):
        if bool(mask.any()):
            titles.append(title)
            rows.append(mask.float())
    return Groups(tuple(titles), torch.stack(rows), tuple(seen))
