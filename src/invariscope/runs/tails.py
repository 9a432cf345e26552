"""How many images the verdict's ablation can afford: silencing units runs the end of the network again and again."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from invariscope.responses.recorder import Recorder

# Of the operations of one pass over all images; an ablation of few operations sees all images.
_SHARE = 0.25
_AT_LEAST = 100


def affordable_images(recorder: Recorder, hidden: str | None, sets: int) -> int:
    """How many images to run again, so that all sets of silenced units cost a quarter of a pass at most.

    Args:
        recorder: runs the network.
        hidden: the site after which units are silenced, or None.
        sets: how many sets of units are silenced per strength.

    Returns:
        All images where the end of the network is short, at least 100 (or all) otherwise; 0 without a site.
    """
    n_images = len(recorder.order)
    if hidden is None:
        return 0
    images = recorder.images.batch(recorder.order[:2], recorder.device)
    with FlopCounterMode(display=False) as whole:
        _, tails = recorder.forward(images, None, hidden)
    if not tails:
        return 0
    with FlopCounterMode(display=False) as end, torch.no_grad():
        tails[0](tails[0].activation)
    share = end.get_total_flops() / max(whole.get_total_flops(), 1)
    return min(n_images, max(_AT_LEAST, int(_SHARE * n_images / max(share * sets, 1e-9))))
