"""What a network answers without the activity below, and without that above Goodfellow's threshold."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.statistics.top_share import top_share_threshold
from invariscope.tolerance.ablation import Replayable
from invariscope.tolerance.activity import Silenced, silence_by_activity
from invariscope.tolerance.silencing import Reading

SHARES = (0.005, 0.01, 0.05, 0.1, 0.2, 0.4)
"""The paper's top shares, of a unit's clean responses."""


def firing_thresholds(
    clean: Float[Tensor, "image unit"], shares: Sequence[float] = SHARES
) -> Float[Tensor, "share unit"]:
    """The response that the top share of each unit's clean responses exceeds, for several shares.

    Args:
        clean: responses to clean images; shape (image, unit).
        shares: of the clean images; 0 to 1, both excluded.

    Returns:
        Shape (share, unit).

    Raises:
        SettingError: a share is out of range.

    Example:
        >>> firing_thresholds(torch.arange(100.0)[:, None], [0.01, 0.2]).flatten().tolist()
        [98.0, 79.0]

    Source: Goodfellow et al., Measuring invariances in deep networks (2009), section 3.
    """
    for share in shares:
        if not 0 < share < 1:
            raise SettingError(f"firing takes a share between 0 and 1; got {share}.")
    return torch.stack([top_share_threshold(clean, share) for share in shares])


def silence_by_firing(
    tails: Iterable[Replayable],
    clean: Float[Tensor, "image unit"],
    labels: Int[Tensor, " image"] | None,
    reading: Reading,
    shares: Sequence[float] = SHARES,
) -> Silenced:
    """Run the end of the network without the units that do not fire in an image, and without those that do.

    Args:
        tails: one per batch of the images that are classified, in their order.
        clean: the units' activity for the clean images, which sets the thresholds; shape (image, unit).
        labels: classes of the classified images; shape (image,); None: right is the prediction with nothing silenced.
        reading: how a unit's activity is read from the site.
        shares: of the clean images on which a unit fires.

    Returns:
        Which images are classified rightly, share by share: `without_inactive` without the units that do not fire.

    Raises:
        SettingError: a share is out of range.

    Source: Jang et al., appendix D, figure 8.
    """
    return silence_by_activity(tails, firing_thresholds(clean, shares), labels, reading)
