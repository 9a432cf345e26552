"""In which numbers a network is trained: 32 bits, or 16 where the device is faster with them."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.training.descent import Descent

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def choose_precision(precision: str, device: torch.device) -> str:
    """What "auto" comes to: 32 bits, but on a CUDA device bfloat16, or float16 where the device has no bfloat16.

    Args:
        precision: "auto", "float32", "bfloat16" or "float16".
        device: where the network is trained.

    Returns:
        The name of a type of number.

    Raises:
        SettingError: it is none of these, or the device has no such numbers.

    Example:
        >>> choose_precision("auto", torch.device("cpu"))
        'float32'
    """
    if precision not in PRECISIONS:
        raise SettingError(f"precision takes {', '.join(PRECISIONS)}; got {precision!r}.")
    if precision == "auto" and device.type != "cuda":
        return "float32"
    if precision in ("auto", "bfloat16") and device.type == "cuda":
        here = torch.cuda.is_bf16_supported(including_emulation=False)
        if not here and precision == "bfloat16":
            raise SettingError(f"{torch.cuda.get_device_name(device)} has no bfloat16; say auto or float32.")
        return "bfloat16" if here else "float16"
    return precision


class Arithmetic:
    """Forward and backward passes in a precision; weights, their steps and the loss stay in 32 bits.

    With float16 the loss is scaled up before the backward pass, for small gradients would become 0; a step whose
    gradients overflow is left out.

    Args:
        precision: as `choose_precision` gives it.
        device: where the network is.
    """

    def __init__(self, precision: str, device: torch.device) -> None:
        self.precision, self.device = precision, device
        self.scaler = torch.amp.GradScaler(device.type) if precision == "float16" else None

    def forward(self) -> AbstractContextManager[Any]:
        """Within the block, what gains by it is computed in this precision."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.precision))

    def step(self, loss: Tensor, descent: Descent, rate: float) -> None:
        """The backward pass and one step of the weights.

        Args:
            loss: a mean over images; scalar.
            descent: whose weights follow their gradients.
            rate: the learning rate.
        """
        if self.scaler is None:
            torch.autograd.backward(loss)
            descent.step(rate)
            return
        torch.autograd.backward(self.scaler.scale(loss))
        self.scaler.step(cast(torch.optim.Optimizer, descent), rate)
        self.scaler.update()
        descent.forget()

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep, as plain values."""
        return {} if self.scaler is None else self.scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a kept state."""
        if self.scaler is not None:
            self.scaler.load_state_dict(state)
