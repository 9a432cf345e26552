"""What must be known of the whole set of responses before one pair can be judged."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Reference:
    """Per-unit quantities over all images, seen and unseen, of one strength.

    Args:
        peak: largest response to any image, clean or transformed; shape (unit,).
        clean_mean: mean clean response, which centres sums of squares; shape (unit,).
        firing: the threshold above which a unit fires: the clean responses' top share; shape (unit,).
        scale: largest size of a clean response, against which rounding noise is told from variance; shape (unit,).
        tau: activity that counts as active, as a fraction of the peak; 0 to 1.
    """

    peak: Float[Tensor, " unit"]
    clean_mean: Float[Tensor, " unit"]
    firing: Float[Tensor, " unit"]
    scale: Float[Tensor, " unit"]
    tau: float
