"""What a learned family does to an image, head by head, in plain words with units."""

import math

import numpy as np

from invariscope.core.words import listed, number, percent
from invariscope.learned.decompose import channel_names
from invariscope.learned.family import actions, matrices
from invariscope.learned.learn import Learned
from invariscope.studies.learn_answer import Answer

_ENDS = ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


def effects(learned: Learned, scale: float, answer: Answer) -> list[str]:
    """A sentence or two on every head, at k = (1, 1).

    Args:
        learned: the family.
        scale: at which.
        answer: how far pixels and colours move.
    """
    told = []
    for head in learned.module.heads:
        ends = matrices(learned.module, head, _ENDS, scale)
        parts = actions(learned.module, head, ends[-1], *learned.size)
        angle = _between(*(ends[:2] - learned.module.identity(head).double().numpy()))
        say = {"spatial": _space, "colour": _colour, "convolution": _kernel, "displacement": _field}[head]
        told.append(f"{say(parts, learned.size, answer)}{_ways(angle)}")
    return told


def _space(parts: dict[str, float], size: tuple[int, int], answer: Answer) -> str:
    height, width = size
    wide, high = parts["scale-x"], parts["scale-y"]
    zoom = "out" if max(wide, high) < 1 else "in" if min(wide, high) > 1 else ""
    zoomed = f"zooms {zoom}, to" if zoom else "stretches to"
    right, down = parts["translation-x"] * width, parts["translation-y"] * height
    turn = "anticlockwise" if parts["rotation"] >= 0 else "clockwise"
    return (
        f"In space, at k = (1, 1), it {zoomed} {number(wide)} of the width and {number(high)} of the height, turns by "
        f"{_degrees(parts['rotation'])} {turn}, leans the axes towards each other by {_degrees(parts['shear'])} "
        "(shear), and moves the image by "
        f"{number(abs(right), 2)} px to the {'right' if right >= 0 else 'left'} and {number(abs(down), 2)} px "
        f"{'down' if down >= 0 else 'up'}; a pixel moves by {number(answer.displacement, 2)} px in the mean over k and "
        f"by {number(answer.displacement_full, 2)} px at k = (1, 1)."
    )


def _colour(parts: dict[str, float], size: tuple[int, int], answer: Answer) -> str:
    if "mixing" not in parts:
        return (
            f"In brightness, at k = (1, 1), it multiplies by {number(parts['gain'])} and adds "
            f"{number(parts['offset'], 2)}; ‖C − I‖ is {number(answer.colour, 2)} in the mean over k."
        )
    names = channel_names(sum(name.startswith("gain of ") for name in parts))
    gains = listed([f"{name} by {number(parts[f'gain of {name}'])}" for name in names])
    offsets = listed([f"{number(parts[f'offset of {name}'], 2)} to {name}" for name in names])
    mixed = {name: value for name, value in parts.items() if " from " in name}
    most = max(mixed, key=lambda name: abs(mixed[name]))
    into, _, source = most.partition(" from ")
    saturation = parts.get("saturation", math.nan)
    vivid = "" if math.isnan(saturation) else f" Saturation becomes {number(saturation)} of what it was."
    return (
        f"In colour, at k = (1, 1), it multiplies {gains}, mixes channels (most: {number(mixed[most], 2)} of {source} "
        f"into {into}), and adds {offsets}; ‖C − I‖ is {number(answer.colour, 2)} in the mean over k and "
        f"{number(answer.colour_full, 2)} at k = (1, 1).{vivid}"
    )


def _kernel(parts: dict[str, float], size: tuple[int, int], answer: Answer) -> str:
    blur = parts["blur"]
    what = "sharpens" if math.isnan(blur) or blur == 0 else f"blurs, like a Gaussian of {number(blur, 2)} px"
    return (
        f"By convolution, at k = (1, 1), it {what}: of the finest detail (½ cycle per pixel) "
        f"{percent(parts['response at 1/2'])} stay, of detail half as fine {percent(parts['response at 1/4'])}."
    )


def _field(parts: dict[str, float], size: tuple[int, int], answer: Answer) -> str:
    return (
        f"By displacement, at k = (1, 1), pixels move by {number(parts['displacement'], 2)} px in the mean and by at "
        f"most {number(parts['largest'], 2)} px; an affine map explains {percent(parts['affine share'])} of that."
    )


def _ways(angle: float) -> str:
    """How different the two components of k are."""
    if math.isnan(angle):
        return ""
    alike = "nearly the same" if angle < 20 else "partly the same" if angle < 60 else "different things"
    return f" k₁ alone and k₂ alone do {alike} ({number(angle, 2)}° between them)."


def _between(one: np.ndarray, other: np.ndarray) -> float:
    """The angle between two changes, in degrees; NaN where one of them is none.

    Example:
        >>> round(_between(np.array([1.0, 0.0]), np.array([1.0, 1.0])), 6)
        45.0
    """
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0:
        return math.nan
    return math.degrees(math.acos(min(max(float((one * other).sum()) / lengths, -1.0), 1.0)))


def _degrees(angle: float) -> str:
    return f"{number(abs(angle), 2)}°"
