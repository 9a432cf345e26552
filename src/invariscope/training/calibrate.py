"""How strong a transformation must be for a network that never saw it to fail."""

from collections.abc import Mapping
from dataclasses import replace

from invariscope.core.errors import SettingError
from invariscope.networks.network import Network
from invariscope.training.evaluate import evaluate
from invariscope.training.loop import Schedule
from invariscope.training.sets import Sets
from invariscope.training.settings import Training
from invariscope.transformations.base import TRANSFORMATIONS, Transformation
from invariscope.transformations.find_magnitude import FoundMagnitude, find_magnitude

STEPS: Mapping[str, float] = {"gaussian-blur": 0.5, "gaussian-noise": 25 / 255}
"""The paper's steps, in the transformations' units of measure."""


def clean_training(network: str, seed: int = 0, schedule: Schedule | None = None) -> Training:
    """The training of a network that sees no class transformed: one for all transformations.

    Args:
        network: specifier of the architecture.
        seed: decides weights and order.
        schedule: how long and how fast it learns; None is 6 epochs.

    Example:
        >>> clean_training("builtin:cnn").k
        0
    """
    return Training(network, "inversion", 1.0, 0, seed, schedule or Schedule())


def calibrated_magnitude(
    network: Network,
    sets: Sets,
    transformation: str,
    target: float = 0.1,
    *,
    above_chance: bool = False,
    step: float | None = None,
    towards: float | None = None,
) -> FoundMagnitude:
    """The magnitude at which a network that was trained on clean images falls to an accuracy.

    The search goes outwards from the identity: in the paper's steps for blur (0.5 pixels) and white noise (25/255),
    in equal steps and then by halves for the rest. Blur ends at an eighth of the shorter side: beyond it
    little of the image is left.

    Args:
        network: of `clean_training`, trained.
        sets: whose test images are shown.
        transformation: its name.
        target: the accuracy to fall to: 0.1 for FaceScrub, 0.15 for ImageNet.
        above_chance: `target` is a share of the way from chance to the clean accuracy, for sets with few classes,
            whose chance is not far from 10 %.
        step: in the unit of measure; None takes the paper's where it has one.
        towards: the magnitude to go to, at most; the sign says the side.

    Returns:
        `.magnitude`, NaN where the accuracy does not fall so far; `.tried` has every magnitude with its accuracy.

    Raises:
        UnknownNameError: there is no transformation of that name.
        SettingError: the target is no share.
        MagnitudeError: `towards` lies outside the transformation's limits.

    Source: Jang et al., appendix A.
    """
    if not 0 <= target <= 1:
        raise SettingError(f"the accuracy to fall to is a share from 0 to 1; got {target:g}.")
    kind = TRANSFORMATIONS[transformation]().with_fill(network.recipe.fill)
    size = (sets.test.height, sets.test.width)
    level = target
    if above_chance:
        chance, clean = 1 / len(sets.classes), _accuracy(network, sets, kind, kind.identity)
        level = chance + target * max(clean - chance, 0.0)
    if towards is None and transformation == "gaussian-blur":
        towards = min(size) / 8
    found = find_magnitude(
        lambda magnitude: _accuracy(network, sets, kind, magnitude),
        kind,
        accuracy=level,
        size=size,
        towards=towards,
        step=step or STEPS.get(transformation),
    )
    return replace(
        found, message=f"{found.message} The network saw clean images only; chance is 1/{len(sets.classes)}."
    )


def _accuracy(network: Network, sets: Sets, transformation: Transformation, magnitude: float) -> float:
    """Of all test images, transformed: no class was seen so, hence all are "across"."""
    return evaluate(network, sets.test, sets.test_labels, transformation, magnitude, ())["across"].value
