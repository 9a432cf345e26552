"""What a sweep can do without any code of a person's own: train networks, and measure them."""

from pathlib import Path
from typing import Any, Required, TypedDict

import pandas as pd

from invariscope.grids.job import Job
from invariscope.grids.relay import current_progress
from invariscope.grids.works import WORKS, Work
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.runs.measure import measure
from invariscope.studies.train import furthest, train_one
from invariscope.training.image_sets import image_sets
from invariscope.training.loop import Schedule
from invariscope.training.settings import Training

_TABLES = ("verdicts", "curves", "thresholds", "layers")


class TrainSettings(TypedDict, total=False):
    """Settings of the work "train"; all but `images` have defaults, those of the command train."""

    images: Required[str]
    test: str
    network: str
    transformation: str
    magnitude: float | list[float]
    k: int
    seed: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    momentum: float
    assignment: str
    mode: str
    device: str


class MeasureSettings(TypedDict, total=False):
    """Settings of the work "measure"; all but the first two have defaults, those of the command measure."""

    network: Required[str]
    images: Required[str]
    transformations: str | list[str]
    magnitudes: list[str]
    layers: str | list[str]
    tau: float
    limit: int
    seed: int
    negative: str
    reduce: str
    device: str


def train_settings(settings: TrainSettings, folder: Path) -> dict[str, pd.DataFrame]:
    """Train one network in the seen/unseen-transformed paradigm and look at its last hidden layer.

    Args:
        settings: of `TrainSettings`; k is half of the classes when it is left out.
        folder: networks are kept in its folder "networks".

    Returns:
        "paradigm" (one row), "training" (a row per epoch), "tests" (a row per transformation and magnitude).
    """
    given = dict(settings)
    images, test = str(given.pop("images")), given.pop("test", None)
    network, device = str(given.pop("network", "builtin:cnn")), given.pop("device", "cpu")
    transformation, seed = str(given.pop("transformation", "inversion")), given.pop("seed", 0)
    names = ("epochs", "batch_size", "learning_rate", "weight_decay", "momentum")
    schedule: dict[str, Any] = {"epochs": 10, **{name: given.pop(name) for name in names if name in given}}
    shared: dict[str, Any] = {"network": network, "transformation": transformation, "seed": seed}
    sets = image_sets(images, test if test is None else str(test), network, int(str(seed)))
    shared["k"] = given.pop("k", max(len(sets.classes) // 2, 1))
    shared["magnitude"] = _magnitude(given.pop("magnitude", None), transformation)
    training = Training(**shared, **given, schedule=Schedule(**schedule), each_epoch=True)  # type: ignore[arg-type]
    plain = {"images": images, "test": test, "device": device, "training": training.plain}
    return train_one(plain, folder)


def measure_settings(settings: MeasureSettings, folder: Path) -> dict[str, pd.DataFrame]:
    """Measure one network on one set of images, as the command measure does.

    Args:
        settings: of `MeasureSettings`.
        folder: the run directory lies in its folder "runs", and holds the units and the rest.

    Returns:
        "verdicts", "curves", "thresholds" and "layers" of the run.
    """
    given: dict[str, Any] = dict(settings)
    out = folder / "runs" / Job("invariscope.studies.works:measure_settings", given).key
    network, images = load_network(given.pop("network")), load_images(given.pop("images"))
    given.setdefault("device", "cpu")
    run = measure(network, images, out=out, resume=True, progress=current_progress(), **given)
    return {name: getattr(run, name) for name in _TABLES}


def _magnitude(given: Any, transformation: str) -> Any:
    if given is None:
        return furthest(transformation)
    return tuple(given) if isinstance(given, list) else given


WORKS.add("train")(Work("invariscope.studies.works:train_settings"))
WORKS.add("measure")(Work("invariscope.studies.works:measure_settings"))
