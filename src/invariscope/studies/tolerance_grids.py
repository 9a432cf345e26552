"""Which transformations the study of tolerance goes through, and at which magnitudes."""

from collections.abc import Sequence

from invariscope.transformations.base import Transformation

PAPER = (
    "translation-x",
    "translation-y",
    "rotation",
    "scale-x",
    "scale-y",
    "zoom",
    "brightness",
    "gain",
    "grayscale",
    "gaussian-blur",
    "gaussian-noise",
)
"""The paper's nine, i to ix; translation and scale in both directions. Its "contrast", v · I, is the gain."""
GEOMETRIC = PAPER[:6]
COLOUR = ("hue", "grayscale", "gain")
NOISE, TURN = "gaussian-noise", "rotation"

_SHIFTS = (1 / 32, 1 / 16, 3 / 32, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2)
_ANGLES = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 37.5, 45.0, 60.0, 75.0, 90.0, 105.0, 120.0, 135.0, 150.0, 165.0, 180.0)
_SIZES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5)
_LIGHT = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_TURNS = (30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
# Of the shorter side: the same blur looks the same on small and on large images.
_BLURS = (0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12)


def _both(values: Sequence[float]) -> tuple[float, ...]:
    return (*(-value for value in values), *values)


_GRIDS = {
    "translation-x": _both(_SHIFTS),
    "translation-y": _both(_SHIFTS),
    "rotation": _both(_ANGLES),
    "scale-x": _SIZES,
    "scale-y": _SIZES,
    "zoom": _SIZES,
    "brightness": _both(_LIGHT),
    "gain": (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0),
    "grayscale": (0.25, 0.5, 0.75, 1.0),
    "gaussian-noise": (0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4),
    "hue": _both(_TURNS),
}


def grid_of(transformation: Transformation, height: int, width: int) -> tuple[float, ...]:
    """The magnitudes of a curve as the paper draws them: dense near the identity, to where little is left.

    Args:
        transformation: the family.
        height: of the images, pixels.
        width: of the images, pixels.

    Returns:
        Ascending, the identity among them, within limits; the family's default grid where the study has none.

    Example:
        >>> from invariscope.transformations.gaussian_blur import GaussianBlur
        >>> grid_of(GaussianBlur(), 100, 200)
        (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
    """
    low, high = transformation.limits(height, width)
    if transformation.name == "gaussian-blur":
        values: Sequence[float] = [round(share * min(height, width), 6) for share in _BLURS]
    else:
        values = _GRIDS.get(transformation.name, transformation.default_grid(height, width))
    return tuple(sorted({float(value) for value in (*values, transformation.identity) if low <= value <= high}))
