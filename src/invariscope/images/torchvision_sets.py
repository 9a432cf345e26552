"""Data sets of torchvision that are on this machine already."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from invariscope.core.errors import ImageError, SettingError
from invariscope.core.names import unknown
from invariscope.images.images import Images
from invariscope.images.source import Loader, Source


def load_torchvision(name: str, options: dict[str, str]) -> Images:
    """A classification set of torchvision.datasets; nothing is downloaded.

    Args:
        name: the class, as in CIFAR10.
        options: `root` is where it lies; `split` is "test" unless given; others go to the class as they are.

    Returns:
        The images, with class names where torchvision knows them.

    Raises:
        ImageError: there is no such set, or it is not at the root.
        SettingError: the root or the split is missing or unknown.
    """
    from torchvision import datasets

    if name not in datasets.__all__ or name == "FakeData":
        raise ImageError(unknown("torchvision data set", name, datasets.__all__, most=12))
    if "root" not in options:
        raise SettingError(f"torchvision:{name} needs to know where it lies; write torchvision:{name}?root=FOLDER.")
    kind, root = getattr(datasets, name), Path(options["root"]).expanduser()
    accepted = inspect.signature(kind).parameters
    settings: dict[str, Any] = {k: v for k, v in options.items() if k not in ("root", "split")}
    if wrong := sorted(set(settings) - set(accepted)):
        raise SettingError(unknown(f"option of torchvision:{name}", wrong[0], accepted))
    split = options.get("split", "test")
    if "split" in accepted:
        settings["split"] = split
    elif "train" in accepted:
        if split not in ("train", "test"):
            raise SettingError(f"torchvision:{name} has the splits train and test; got {split!r}.")
        settings["train"] = split == "train"
    if "download" in accepted:
        settings["download"] = False
    try:
        dataset = kind(root, **settings)
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImageError(f"torchvision:{name} ({split}) is not at {root} ({reason}); nothing is downloaded.") from error
    return from_dataset(dataset, f"torchvision:{name}")


def from_dataset(dataset: Any, spec: str) -> Images:
    """Images of a torchvision data set object: its array where it holds one, else one picture at a time.

    Args:
        dataset: gives (picture, label) by number.
        spec: what to call the set.

    Returns:
        The images with their labels and class names.
    """
    classes = getattr(dataset, "classes", None)
    names = [_first(c) for c in classes] if classes else None
    labels = _labels(dataset)
    if names is not None and len(labels) and max(labels) >= len(names):
        names = None
    data = getattr(dataset, "data", None)
    if data is not None and len(data) == len(dataset) and getattr(data, "ndim", 0) in (3, 4):
        return Images(np.asarray(data), labels, names, spec=spec)
    return Images(DatasetSource(dataset, spec), labels, names, spec=spec)


class DatasetSource(Source):
    """Pictures that a torchvision data set opens one by one."""

    def __init__(self, dataset: Any, spec: str) -> None:
        self._dataset, self._spec = dataset, spec

    def __len__(self) -> int:
        return len(self._dataset)

    def name(self, index: int) -> str:
        """The set and the picture's number in it."""
        return f"{self._spec}, picture {index}"

    def loaders(self, indices: Sequence[int]) -> Iterator[Loader]:
        """One per picture."""
        return (self._loader(i) for i in indices)

    def _loader(self, index: int) -> Loader:
        def load() -> Image:
            picture: Image = self._dataset[index][0]
            return picture

        return load


def _labels(dataset: Any) -> list[int]:
    for attribute in ("targets", "labels", "_labels"):
        found = getattr(dataset, attribute, None)
        if found is not None and len(found) == len(dataset):
            return [int(label) for label in found]
    return [int(dataset[i][1]) for i in range(len(dataset))]


def _first(name: Any) -> str:
    return str(name[0]) if isinstance(name, tuple) else str(name)
