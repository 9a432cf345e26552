"""Training and test images of the same classes, at a network's size, ready to be sent to another process."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.recipe import Recipe

_NOTHING = np.empty(0, np.uint8)


@dataclass(frozen=True)
class Sets:
    """What a network learns from and what it is tested on.

    Args:
        train: training images at the network's size.
        test: test images at the network's size.
        train_labels: classes of the training images, as indices into `classes`; shape (train image,).
        test_labels: the same for the test images; shape (test image,).
        classes: names of the classes.
        fingerprint: of both sets of images.
    """

    train: Prepared
    test: Prepared
    train_labels: Int[Tensor, " train_image"]
    test_labels: Int[Tensor, " test_image"]
    classes: tuple[str, ...]
    fingerprint: str

    def __getstate__(self) -> dict[str, Any]:
        """Arrays instead of tensors: tensors would go through shared memory, of which containers have little."""
        state = dict(self.__dict__)
        for name in ("train", "test"):
            images = state[name]
            state[name] = replace(images, pixels=_NOTHING, owner=None, _there={}), _packed(images.pixels)
        for name in ("train_labels", "test_labels"):
            state[name] = state[name].numpy()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in ("train", "test"):
            images, packed = state[name]
            state[name] = replace(images, pixels=_unpacked(packed))
        for name in ("train_labels", "test_labels"):
            state[name] = torch.from_numpy(state[name])
        self.__dict__.update(state)


@dataclass(frozen=True)
class _OnDisk:
    """Where an array lies on disk: it is opened there again, not copied."""

    filename: str
    dtype: str
    offset: int
    shape: tuple[int, ...]


def _packed(pixels: Any) -> Any:
    if isinstance(pixels, np.memmap) and pixels.filename is not None:
        return _OnDisk(str(pixels.filename), pixels.dtype.str, pixels.offset, pixels.shape)
    return pixels.numpy() if isinstance(pixels, Tensor) else pixels


def _unpacked(packed: Any) -> Any:
    if isinstance(packed, _OnDisk):
        return np.memmap(packed.filename, packed.dtype, "r", packed.offset, packed.shape)
    return torch.from_numpy(packed)


def _names(images: Images) -> tuple[str, ...]:
    """The names of the classes; labels without names are their own."""
    return images.classes or tuple(str(label) for label in range(images.n_classes))


def make_sets(train: Images, test: Images, recipe: Recipe) -> Sets:
    """Decode, resize and crop both sets for a network.

    Args:
        train: labelled images to learn from.
        test: labelled images of the same classes.
        recipe: the network's input recipe.

    Returns:
        Both sets, their classes in the order of the training set's.

    Raises:
        SettingError: a set has no labels, or the classes differ.
    """
    for name, images in (("training", train), ("test", test)):
        if images.labels is None:
            raise SettingError(
                f"the {name} images {images.spec} have no labels; a network learns from labelled images."
            )
    learned, tested = _names(train), _names(test)
    if missing := sorted(set(learned) ^ set(tested)):
        raise SettingError(
            f"training and test images must have the same classes; {missing[0]!r} is only in one of "
            f"{train.spec} and {test.spec}."
        )
    ready = train.fit(recipe), test.fit(recipe)
    place = {name: index for index, name in enumerate(learned)}
    renumber = torch.tensor([place[name] for name in tested])
    return Sets(
        *ready,
        torch.as_tensor(ready[0].labels),
        renumber[torch.as_tensor(ready[1].labels)],
        learned,
        f"{train.fingerprint}/{test.fingerprint}",
    )


def hold_out(images: Images, share: float = 1 / 3, seed: int = 0) -> tuple[Images, Images]:
    """Split images into those to learn from and those to test on, the same share of every class.

    Args:
        images: labelled images.
        share: of every class that is held out for the test; above 0 and below 1; at least one image, and one stays.
        seed: which ones.

    Returns:
        Images to learn from, and images to test on.

    Raises:
        SettingError: there are no labels, or a class has fewer than two images.
    """
    if not 0 < share < 1:
        raise SettingError(f"the share of images that is held out lies between 0 and 1; got {share:g}.")
    if images.labels is None:
        raise SettingError(f"{images.spec} has no labels; a network learns from labelled images.")
    random = np.random.Generator(np.random.PCG64(seed))
    held = []
    for label in np.unique(images.labels):
        members = random.permutation(np.flatnonzero(images.labels == label))
        if len(members) < 2:
            name = images.classes[label] if images.classes else label
            raise SettingError(f"class {name} of {images.spec} has one image; give two or more, or a test set.")
        held.append(members[: min(max(round(share * len(members)), 1), len(members) - 1)])
    test = np.sort(np.concatenate(held))
    train = np.setdiff1d(np.arange(len(images)), test)
    return images.subset(train), images.subset(test)
