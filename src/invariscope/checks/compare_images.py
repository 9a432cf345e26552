"""What a network said of every image along one transformation, read from a run and paired with another's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from invariscope.core.errors import RunError
from invariscope.runs.run import Run
from invariscope.tolerance.outputs import ALL, Groups


@dataclass(frozen=True, eq=False)
class Answered:
    """What one network said of the same images at every magnitude.

    Args:
        magnitudes: ascending, the identity among them; shape (magnitude,).
        clean: the identity's place among them.
        images: places in the set, ascending; shape (image,).
        classes: the class of each image by name; shape (image,).
        predicted: name of the predicted class, as a number; shape (magnitude, image).
        correct: whether it is right; None without labels.
        softmax_true: of the true class; None without labels.
    """

    magnitudes: Float[ndarray, " magnitude"]
    clean: int
    images: Int[ndarray, " image"]
    classes: Any
    predicted: Int[ndarray, "magnitude image"]
    correct: Bool[ndarray, "magnitude image"] | None
    softmax_true: Float[ndarray, "magnitude image"] | None

    def qualities(self, places: Sequence[int]) -> dict[str, Float[ndarray, "step image"]]:
        """What thresholds are made of, by criterion, at some magnitudes.

        Args:
            places: of the magnitudes, from the identity outward, the identity first.
        """
        steps = list(places)
        same = (self.predicted[steps] == self.predicted[self.clean]).astype(np.float64)
        found = {} if self.correct is None else {"accuracy": self.correct[steps].astype(np.float64)}
        found["agreement"] = same
        if self.softmax_true is not None:
            found["softmax"] = self.softmax_true[steps].astype(np.float64)
        return {**found, "first-flip": np.minimum.accumulate(same, axis=0)}

    def only(self, images: Bool[ndarray, " image"]) -> "Answered":
        """Some of the images.

        Args:
            images: which ones; shape (image,).
        """
        correct = None if self.correct is None else self.correct[:, images]
        softmax = None if self.softmax_true is None else self.softmax_true[:, images]
        predicted, classes = self.predicted[:, images], self.classes[images]
        return Answered(self.magnitudes, self.clean, self.images[images], classes, predicted, correct, softmax)


@dataclass(frozen=True, eq=False)
class Pair:
    """The same images under the same transformation in two runs.

    Args:
        a: the reference.
        b: the other.
        groups: classes of the images; none where the runs do not name them alike.
    """

    a: Answered
    b: Answered
    groups: Groups


def read_answers(run: Run, name: str) -> Answered | None:
    """What a run says of every image under one transformation.

    Args:
        run: a finished measurement.
        name: of the transformation.

    Returns:
        None where the run kept no outcomes of it.

    Raises:
        RunError: the file is damaged.
    """
    file = run.path / "outcomes.parquet"
    if not file.exists():
        return None
    try:
        rows = pd.read_parquet(file, filters=[("transformation", "==", name)])
        magnitudes = np.unique(rows["magnitude"].to_numpy(np.float64))
        shape = (len(magnitudes), len(rows) // max(len(magnitudes), 1))
        images = rows["image"].to_numpy(np.int64).reshape(shape)
        steps = rows["magnitude"].to_numpy(np.float64).reshape(shape)
        whole = (images == images[:1]).all() and (steps == magnitudes[:, None]).all()
        identity = float(run.info["transformations"][name]["identity"])
        if len(rows) and not (whole and identity in magnitudes):
            raise ValueError("its rows are not one per image and magnitude")
        if not len(rows):
            return None
        labelled = not rows["correct"].isna().any()
        return Answered(
            magnitudes,
            int(np.flatnonzero(magnitudes == identity)[0]),
            images[0],
            rows["class"].astype(str).to_numpy(dtype=object)[: shape[1]],
            pd.factorize(rows["predicted"])[0].reshape(shape).astype(np.int64),
            rows["correct"].to_numpy(dtype=bool).reshape(shape) if labelled else None,
            rows["softmax_true"].to_numpy(np.float32).reshape(shape) if labelled else None,
        )
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{file} is damaged: {error}; measure again with --overwrite.") from error


def pair(a: Run, b: Run, name: str) -> Pair | None:
    """The same images of two runs under one transformation.

    Args:
        a: the reference.
        b: the other.
        name: of the transformation, which both runs have.

    Returns:
        None where the images are not the same, or a run did not keep what it said of each of them.
    """
    if not same_images(a, b):
        return None
    one, other = read_answers(a, name), read_answers(b, name)
    if one is None or other is None or one.magnitudes[one.clean] != other.magnitudes[other.clean]:
        return None
    one = one.only(np.isin(one.images, other.images))
    other = other.only(np.isin(other.images, one.images))
    if len(one.images) < 2:
        return None
    nameless = Groups((), np.full(len(one.images), -1), np.zeros(0, dtype=np.int64))
    names = [name for name in dict.fromkeys(a.curves["class"]) if name != ALL]
    alike = np.array_equal(one.classes, other.classes) and set(one.classes) <= set(names)
    if one.correct is None or other.correct is None or not alike:
        return Pair(one, other, nameless)
    codes = pd.Categorical(one.classes, categories=names).codes.astype(np.int64)
    # Images that were read in one run alone may have taken a class with them.
    there, places = np.unique(codes, return_inverse=True)
    return Pair(one, other, Groups(tuple(names[code] for code in there), places.astype(np.int64), there))


def same_images(a: Run, b: Run) -> bool:
    """Whether two runs looked at the same set of images, by its fingerprint.

    Args:
        a: a run.
        b: another.
    """
    prints = [(run.info.get("images") or {}).get("fingerprint") for run in (a, b)]
    return prints[0] is not None and prints[0] == prints[1]
