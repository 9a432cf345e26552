"""How many images the verdict's ablation can afford: silencing units runs the end of the network again and again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from invariscope.responses.recorder import Recorder

# Of the operations of one pass over all images; an ablation of few operations sees all images.
_SHARE = 0.25
_AT_LEAST = 100


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating-point operations; torch's own counting mode also follows modules and takes seconds to load."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Said here so that torch does not load its compiler, seconds and hundreds of megabytes, to find out."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        count: Callable[..., int] | None = flop_registry.get(func.overloadpacket)
        if count is not None:
            self.total += int(count(*args, **(kwargs or {}), out_val=output))
        return output


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
    with _Operations() as whole:
        _, tails = recorder.forward(images, None, hidden)
    if not tails:
        return 0
    with _Operations() as end, torch.no_grad():
        tails[0](tails[0].activation)
    share = end.total / max(whole.total, 1)
    return min(n_images, max(_AT_LEAST, int(_SHARE * n_images / max(share * sets, 1e-9))))
