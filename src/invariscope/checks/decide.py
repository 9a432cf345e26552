"""Whether an interval reaches what is required, and how many images would decide it."""

import math
from statistics import NormalDist
from typing import Literal

Verdict = Literal["passes", "fails", "undecided"]
VERDICTS: tuple[Verdict, ...] = ("fails", "undecided", "passes")
CONFIDENCE = 0.95
# Numbers of a file and sums of the same images in another order differ by rounding.
_ROUNDING = 1e-9


def decide(low: float, high: float, required: float) -> Verdict:
    """Passes if the low end of the interval reaches what is required, fails if the high end does not.

    Args:
        low: of the 95 % interval; NaN where it is unknown.
        high: of the interval; may be infinite.
        required: what must be reached.

    Returns:
        "passes", "fails", or "undecided": also where the interval is unknown.

    Example:
        >>> decide(0.81, 0.9, 0.8), decide(0.7, 0.79, 0.8), decide(0.7, 0.9, 0.8), decide(math.nan, math.nan, 0.8)
        ('passes', 'fails', 'undecided', 'undecided')
    """
    slack = _ROUNDING * max(1.0, abs(required))
    if low >= required - slack:
        return "passes"
    return "fails" if high < required - slack else "undecided"


def images_for_share(share: float, required: float) -> float:
    """The smallest number of images at which Wilson's interval of this share lies on one side of what is required.

    The interval holds L while (p − L)² ≤ z² L (1 − L) / n, so n = z² L (1 − L) / (p − L)².

    Args:
        share: the proportion p of images, taken to stay the same; 0 to 1.
        required: the level L; 0 to 1.

    Returns:
        A whole number; NaN where the share is unknown or equals the level, which no number of images decides.

    Example:
        >>> images_for_share(0.84, 0.8), images_for_share(0.8, 0.8)
        (385.0, nan)

    Source: Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    gap = abs(share - required)
    if not gap > _ROUNDING:
        return math.nan
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    enough = z**2 * required * (1 - required) / gap**2
    # From above the interval may touch the level; from below it must stay clear of it.
    return float(max(1, math.ceil(enough) if share > required else math.floor(enough) + 1))


def images_by_width(estimate: float, low: float, high: float, n: int, required: float) -> float:
    """The number of images that decides, if the interval's width falls with 1 / √n around the same estimate.

    Args:
        estimate: within the interval.
        low: of the interval of n images.
        high: of the interval of n images.
        n: how many images there are.
        required: what must be reached.

    Returns:
        A whole number; NaN where the estimate or that end is unknown or infinite, or the estimate equals the level.

    Example:
        >>> images_by_width(0.85, 0.75, 0.95, 100, 0.8)
        400.0
    """
    gap, half = estimate - required, estimate - low if estimate > required else high - estimate
    if not (math.isfinite(gap) and math.isfinite(half)) or abs(gap) <= _ROUNDING * max(1.0, abs(required)):
        return math.nan
    enough = n * (half / gap) ** 2
    return float(math.ceil(enough - 1e-6) if gap > 0 else math.floor(enough + 1e-6) + 1)
