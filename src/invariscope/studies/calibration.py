"""Magnitudes at which a network that saw clean images only fails, found before a study begins."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from invariscope.grids.job import Job
from invariscope.training.calibrate import STEPS, calibrated_magnitude
from invariscope.training.image_sets import image_sets
from invariscope.training.settings import Training
from invariscope.training.train import train_network
from invariscope.transformations.base import TRANSFORMATIONS


def calibration_job(
    training: Training, images: str, test: str | None, transformations: Sequence[str], accuracy: float
) -> Job:
    """The job that finds the magnitudes of those transformations for which the paper searches: blur and white noise.

    Args:
        training: of a network that sees no class transformed.
        images: specifier of labelled images.
        test: specifier of the images to test on, or None.
        transformations: names; the others among them keep their magnitudes.
        accuracy: to fall to.

    Returns:
        A job whose table "magnitudes" has a row per transformation.

    Source: Jang et al., appendix A.
    """
    searched = [name for name in dict.fromkeys(transformations) if name in STEPS]
    settings = {"images": images, "test": test, "training": training.plain, "accuracy": accuracy}
    work = "invariscope.studies.calibration:find_magnitudes"
    return Job(work, {**settings, "transformations": searched}, label=f"magnitudes for {', '.join(searched)}")


def find_magnitudes(settings: dict[str, Any], folder: Path) -> dict[str, pd.DataFrame]:
    """The work of `calibration_job`.

    Args:
        settings: `images`, `test`, `training`, `transformations`, `accuracy`; plain values.
        folder: the network is kept in its folder "networks".

    Returns:
        "magnitudes": `transformation`, `magnitude` (NaN where the accuracy does not fall so far), `accuracy` there,
        and `message`.
    """
    training = Training.of(settings["training"])
    sets = image_sets(settings["images"], settings["test"], training.network, training.seed)
    network = train_network(training, sets, folder / "networks").network
    rows = []
    for name in settings["transformations"]:
        found = calibrated_magnitude(network, sets, name, settings["accuracy"])
        # A network that fails on clean images already tells nothing of the transformation.
        fails = found.magnitude == TRANSFORMATIONS[name].identity
        rows.append(
            {
                "transformation": name,
                "magnitude": math.nan if fails else found.magnitude,
                "accuracy": found.accuracy,
                "message": found.message,
            }
        )
    return {"magnitudes": pd.DataFrame(rows, columns=["transformation", "magnitude", "accuracy", "message"])}


def with_magnitudes(
    transformations: Sequence[tuple[str, float]], magnitudes: pd.DataFrame
) -> tuple[tuple[str, float], ...]:
    """Transformations with the magnitudes that were found; the others, and those not found, keep their own.

    Args:
        transformations: names and magnitudes.
        magnitudes: of `find_magnitudes`.

    Example:
        >>> found = pd.DataFrame({"transformation": ["gaussian-blur"], "magnitude": [2.5]})
        >>> with_magnitudes([("gaussian-blur", 1.0), ("inversion", 1.0)], found)
        (('gaussian-blur', 2.5), ('inversion', 1.0))
    """
    found = dict(zip(magnitudes["transformation"], magnitudes["magnitude"], strict=True))
    known = {name: float(value) for name, value in found.items() if not math.isnan(value)}
    return tuple((name, known.get(name, given)) for name, given in transformations)
