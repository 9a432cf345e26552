"""`invariscope train`: networks that see some classes transformed and others not."""

from typing import Annotated

from cyclopts import Parameter

from invariscope.cli.options import Names, Shared, split


def train(
    images: str,
    *,
    network: str = "builtin:small-cnn",
    transformation: str = "inversion",
    magnitude: float | None = None,
    seen: Annotated[Names, Parameter(negative="")] = None,
    seeds: int = 1,
    epochs: int = 10,
    test: str | None = None,
    workers: int = 2,
    shared: Shared = Shared(),  # noqa: B008 - frozen
) -> None:
    """Train networks that see k of the classes transformed half of the times, and the others never.

    Args:
        images: labelled images to learn from, as for the command measure.
        network: the architecture, builtin:NAME, torchvision:NAME or timm:NAME.
        transformation: what the seen classes are transformed with.
        magnitude: its magnitude; the furthest of its default grid when it is left out.
        seen: how many classes are seen transformed, one network each, as in 1,15,30; half of them when it is left out.
        seeds: so many networks of each kind, with the seeds from --seed on.
        epochs: passes over the images.
        test: images to test on; a third of each class is held out when it is left out.
        workers: processes that share the work; they do not change the numbers.
        shared: what every command has.
    """
