"""Arrays and labels as people hand them over, checked once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invariscope.core.errors import ImageError

_CHANNELS = (1, 3, 4)


def check_array(array: Any) -> Tensor:
    """Images as a tensor (image, channel, height, width), uint8 or float32.

    Args:
        array: uint8, channels last or first, 0 to 255; float, channels first, 0 to 1; grey ones may leave the
            channels out; numpy or torch.

    Returns:
        The same memory where that is possible.

    Raises:
        ImageError: the shape, type or range is another.

    Example:
        >>> check_array(np.zeros((2, 5, 6, 3), np.uint8)).shape
        torch.Size([2, 3, 5, 6])
    """
    images = array.detach().cpu() if isinstance(array, Tensor) else _from_numpy(np.asarray(array))
    if images.ndim == 3:
        images = images[:, None]
    shape = tuple(images.shape)
    if images.ndim != 4 or 0 in shape[1:]:
        raise ImageError(
            f"images are an array (image, channel, height, width) or, as uint8, (image, height, width, channel); got "
            f"{shape}. One image? Use images[None]."
        )
    if images.dtype == torch.uint8:
        return images.permute(0, 3, 1, 2) if _channels_last(shape) else images
    if not images.is_floating_point():
        raise ImageError(
            f"images are uint8 from 0 to 255, or float from 0 to 1; got {images.dtype}. Use .astype('uint8')."
        )
    if shape[1] not in _CHANNELS and shape[3] in _CHANNELS:
        raise ImageError(
            f"float images are (image, channel, height, width); got {shape}: transpose them, or pass uint8."
        )
    if len(images) and not bool((images.amin() >= 0) & (images.amax() <= 1)):
        low, high = float(images.amin()), float(images.amax())
        raise ImageError(
            f"float images lie between 0 and 1, before any normalisation; these go from {low:g} to {high:g}."
        )
    return images.float()


def _from_numpy(array: npt.NDArray[Any]) -> Tensor:
    if array.dtype == np.bool_ or array.dtype.kind not in "uif":
        raise ImageError(f"images are uint8 from 0 to 255, or float from 0 to 1; got an array of {array.dtype}.")
    if array.dtype == np.uint16 or array.dtype == np.uint32:
        array = array.astype(np.int64)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _channels_last(shape: tuple[int, ...]) -> bool:
    first, last = shape[1] in _CHANNELS, shape[3] in _CHANNELS
    if first and last and shape[1] != shape[3]:
        raise ImageError(f"images of shape {shape} may have their channels first or last; make them unmistakable.")
    return last and not first


def check_labels(
    labels: Any, classes: Sequence[str] | None, n: int
) -> tuple[npt.NDArray[np.int64] | None, tuple[str, ...] | None]:
    """Labels as integers, and the names of the classes where there are some.

    Args:
        labels: one integer or one name per image; None, or all −1, for an unlabelled set.
        classes: names that integers point at.
        n: how many images there are.

    Returns:
        Integers of shape (image,) or None; names or None. Names among the labels are sorted to become the classes.

    Raises:
        ImageError: another number of labels than images, or integers that point at no class.

    Example:
        >>> check_labels(["dog", "cat"], None, 2)
        (array([1, 0]), ('cat', 'dog'))
    """
    names = tuple(str(name) for name in classes) if classes is not None else None
    if labels is None:
        return None, names
    given = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if given.shape != (n,):
        raise ImageError(f"there are {n} images and labels of shape {given.shape}; give one label per image.")
    if given.dtype.kind in "USO":
        texts = [str(label) for label in given.tolist()]
        names = names if names is not None else tuple(sorted(set(texts)))
        place = {name: i for i, name in enumerate(names)}
        if missing := sorted(set(texts) - set(place)):
            raise ImageError(
                f"the label {missing[0]!r} is none of the {len(names)} classes ({', '.join(names[:5])}, …)."
            )
        return np.array([place[text] for text in texts], dtype=np.int64), names
    if given.dtype.kind not in "ui" and not np.array_equal(given, np.floor(given)):
        raise ImageError(f"labels are integers or names; got {given.dtype}, for instance {given[0]}.")
    numbers = given.astype(np.int64)
    if n and (numbers == -1).all():
        return None, names
    if n and numbers.min() < 0:
        raise ImageError(f"labels start at 0; the smallest is {numbers.min()}.")
    if n and names is not None and numbers.max() >= len(names):
        raise ImageError(f"the labels reach {numbers.max()} and there are {len(names)} class names, counted from 0.")
    return numbers, names
