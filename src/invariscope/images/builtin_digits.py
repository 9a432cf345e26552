"""scikit-learn's handwritten digits: the smallest real set."""

import gzip

import numpy as np

from invariscope.core.errors import SettingError
from invariscope.images.builtin import BUILTIN_IMAGES
from invariscope.images.bundled import sklearn_data
from invariscope.images.images import Images

TEST_SHARE = 1 / 3


@BUILTIN_IMAGES.add("digits")
def digits(*, split: str = "test", seed: int = 0) -> Images:
    """Handwritten digits 0 to 9 of 43 people, 8×8 grey.

    The grey levels 0 to 16 are stretched to 0 to 255. A third of each class, drawn by the seed, is the test split; the
    images of a split go round the classes in turn as far as they reach.

    Args:
        split: "test" (599 images), "train" (1198) or "all" (1797).
        seed: another seed draws another test split.

    Returns:
        The images.

    Raises:
        SettingError: there is no such split.

    Example:
        >>> len(digits()), len(digits(split="train")), len(digits(split="all"))
        (599, 1198, 1797)

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    if split not in ("train", "test", "all"):
        raise SettingError(f"builtin:digits has the splits train, test and all; got {split!r}.")
    with gzip.open(sklearn_data("data", "digits.csv.gz"), "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    pixels = np.round(table[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = table[:, 64]
    turn = _turns(labels, seed)
    n_test = np.round(np.bincount(labels) * TEST_SHARE).astype(np.int64)[labels]
    chosen = {"test": turn < n_test, "train": turn >= n_test, "all": turn >= 0}[split]
    order = np.lexsort((labels, turn))
    order = order[chosen[order]]
    names = [str(digit) for digit in range(10)]
    return Images(pixels[order], labels[order], names, spec=f"builtin:digits?split={split}&seed={seed}")


def _turns(labels: np.ndarray, seed: int) -> np.ndarray:
    """Each image's place in a shuffled queue of its class."""
    shuffled = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))
    queue = shuffled[np.argsort(labels[shuffled], kind="stable")]
    sizes = np.bincount(labels)
    turn = np.empty(len(labels), np.int64)
    turn[queue] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return turn
