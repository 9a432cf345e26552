"""Which output of a network each label means."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Int
from torch import Tensor

from invariscope.core.errors import ImageError
from invariscope.core.names import unknown


@runtime_checkable
class Labelled(Protocol):
    """Images with labels: `Images` or `Prepared`."""

    labels: npt.NDArray[np.int64] | None
    classes: tuple[str, ...] | None
    wnids: tuple[str, ...] | None


@runtime_checkable
class Named(Protocol):
    """A network that may know what its outputs mean: a name and a WordNet identifier per output."""

    classes: tuple[str, ...] | None
    wnids: tuple[str, ...] | None


@dataclass(frozen=True)
class Matching:
    """Labels in terms of a network's outputs.

    Args:
        labels: the output that is right for each image, shape (image,), or None: agreement replaces accuracy.
        names: one distinct name per output.
        message: what a person should be told, or None.
    """

    labels: Int[Tensor, " image"] | None
    names: tuple[str, ...]
    message: str | None = None


def match_labels(
    images: Labelled, network: Named, n_outputs: int, class_names: Sequence[str] | None = None
) -> Matching:
    """Match the images' classes with the network's outputs.

    By name where every class is found among `class_names`, the network's own names or its WordNet identifiers; else,
    when there are as many classes as outputs, in order; else agreement with the clean prediction replaces accuracy.
    Labels that are mere numbers are numbers of outputs.

    Args:
        images: labels and class names.
        network: class names and WordNet identifiers of the outputs, where it knows them.
        n_outputs: how many outputs there are.
        class_names: one name per output, from the person.

    Returns:
        The labels as outputs, a name for every output, and what to tell.

    Raises:
        ImageError: a label reaches beyond the outputs, a few classes have no output while most have one, or
            `class_names` are not as many as the outputs.

    Example:
        >>> from types import SimpleNamespace as With
        >>> images = With(labels=np.array([0, 1, 1]), classes=("cat", "dog"), wnids=None)
        >>> network = With(classes=("bird", "dog", "cat"), wnids=None)
        >>> match_labels(images, network, 3).labels
        tensor([2, 1, 1])
    """
    if class_names is not None and len(class_names) != n_outputs:
        raise ImageError(
            f"{len(class_names)} class names are given and the network has {n_outputs} outputs; give one each."
        )
    own = network.classes if network.classes is not None and len(network.classes) == n_outputs else None
    wnids = network.wnids if network.wnids is not None and len(network.wnids) == n_outputs else None
    names = _distinct(class_names or own or [str(i) for i in range(n_outputs)])
    if images.labels is None:
        return Matching(
            None, names, "The images have no labels: agreement with the clean prediction replaces accuracy."
        )
    labels = torch.from_numpy(images.labels)
    if images.classes is None:
        return Matching(_as_outputs(labels, n_outputs), names)

    offered = [c for c in (images.classes, images.wnids) if c is not None]
    targets = [t for t in (class_names, own, wnids) if t is not None]
    used = sorted(set(labels.tolist()))
    best: dict[int, int] = {}
    for classes in offered:
        for target in targets:
            found = _by_name(classes, target, used)
            best = found if len(found) > len(best) else best
    if len(best) == len(used):
        table = torch.full((len(images.classes),), -1)
        table[list(best)] = torch.tensor(list(best.values()))
        return Matching(table[labels], names)
    if len(images.classes) == n_outputs:
        if class_names is None and own is None:
            names = _distinct(images.classes)
        return Matching(labels, names, _numbered(images.classes))
    if images.wnids is not None and max(used) < n_outputs:
        return Matching(labels, names, "The labels were taken as numbers of the network's outputs.")
    if 2 * len(best) > len(used):
        lost = next(i for i in used if i not in best)
        raise ImageError(
            f"most classes are outputs of the network, but {unknown('output', images.classes[lost], names)}"
        )
    return Matching(
        None,
        names,
        f"The images have {len(images.classes)} classes ({', '.join(images.classes[:3])}, …) and the network has "
        f"{n_outputs} outputs of other names: agreement with the clean prediction replaces accuracy. Name the outputs "
        "with --classes FILE, one per line, to measure accuracy.",
    )


def _as_outputs(labels: Tensor, n_outputs: int) -> Tensor:
    if len(labels) and int(labels.max()) >= n_outputs:
        raise ImageError(
            f"the labels reach {int(labels.max())}, and the network has {n_outputs} outputs, counted from 0; these "
            "images belong to another network, or their classes need names."
        )
    return labels


def _by_name(classes: Sequence[str], target: Sequence[str], used: Sequence[int]) -> dict[int, int]:
    """Class to output, for the classes in use whose name one output alone has, in full or before its first comma."""
    full = {_plain(name): i for i, name in enumerate(target)}
    often = Counter(_plain(name) for name in target)
    short = {_plain(name.partition(",")[0]): i for i, name in enumerate(target)}
    often_short = Counter(_plain(name.partition(",")[0]) for name in target)
    found: dict[int, int] = {}
    for i in used:
        name = _plain(classes[i])
        brief = _plain(classes[i].partition(",")[0])
        if often[name] == 1:
            found[i] = full[name]
        elif often_short[brief] == 1 and not often[name]:
            found[i] = short[brief]
    return found if len(set(found.values())) == len(found) else {}


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names made unique by their place: ImageNet has two cranes and two maillots."""
    often = Counter(names)
    return tuple(f"{name} ({i})" if often[name] > 1 else name for i, name in enumerate(names))


def _numbered(classes: Sequence[str]) -> str | None:
    if all(name.isdigit() for name in classes) and [int(name) for name in classes] != sorted(map(int, classes)):
        return (
            f"The class names are numbers and were taken in their order as text ({', '.join(classes[:3])}, …), as "
            "torchvision's ImageFolder does; give --classes FILE if the network's outputs stand in another order."
        )
    return None
