"""The activity threshold of a measurement, given as a number or found by ablation."""

import math

from invariscope.core.errors import SettingError
from invariscope.core.words import number
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.tolerance.activity_threshold import activity_threshold

ABLATION = "ablation"
_IMAGES = 500


def by_ablation(tau: float | str) -> bool:
    """Whether the threshold is still to be found, which is known before anything is loaded.

    Args:
        tau: a fraction of the peak, or "ablation".

    Raises:
        SettingError: another word was given.
    """
    if isinstance(tau, str) and tau != ABLATION:
        raise SettingError(f"--tau is a fraction of the peak from 0 to below 1, or {ABLATION}; got {tau!r}.")
    return isinstance(tau, str)


def settled_tau(
    tau: float | str, network: Network, images: Images, *, units: str, reduce: str, negative: str | None, seed: int
) -> tuple[float, str | None]:
    """The threshold as a number.

    Args:
        tau: a fraction of the peak, or "ablation": the largest below which all activity of the last hidden site can be
            silenced, on clean images, at the cost of at most one percentage point of accuracy.
        network: on its device.
        images: what it is measured on; 500 of them choose.
        units: "channels" or "positions".
        reduce: "max", "mean" or "centre".
        negative: how negative responses become activity, or None.
        seed: of the choice of images.

    Returns:
        The threshold, and what a person should be told of it.

    Raises:
        SettingError: another word was given, or no threshold meets the rule.

    Source: Jang et al., section 3.2, whose rule this is; they chose on transformed images.
    """
    if not by_ablation(tau):
        return float(tau), None
    shown = images.limit(_IMAGES, seed)
    # At its identity the gain changes nothing: one threshold for all transformations is chosen on clean images.
    found = activity_threshold(
        network, shown, "gain", 1.0, units=units, reduce=reduce, negative=negative, seed=seed, replicates=0
    )
    if math.isnan(found.tau):
        raise SettingError(f"no tau meets the rule at {found.layer}: {found.message} Give a number instead.")
    told = (
        f"tau is {number(found.tau)}: at {found.layer}, silencing all activity below this fraction of the peak costs "
        f"at most 1 point of accuracy on {len(shown)} clean images."
    )
    return found.tau, told
