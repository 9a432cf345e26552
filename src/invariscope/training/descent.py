"""Stochastic gradient descent with momentum, and how its learning rate goes with the steps."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def one_cycle(step: int, steps: int, peak: float, *, rise: float = 0.3, start: float = 25.0, end: float = 1e4) -> float:
    """The learning rate of one cycle: along a cosine from peak/start up to peak, then down to peak/(start·end).

    Args:
        step: from 0.
        steps: of the whole training.
        peak: the largest rate.
        rise: share of the steps that lead up to the peak.
        start: the peak over the first rate.
        end: the first rate over the last.

    Returns:
        The rate of that step.

    Example:
        >>> [round(one_cycle(step, 10, 1.0), 3) for step in (0, 2, 9)]
        [0.04, 1.0, 0.0]

    Source: Smith & Topin 2018, "Super-convergence", with the cosine that became usual.
    """
    top = rise * steps - 1
    if step <= top:
        low, share = peak / start, step / top if top else 1.0
    else:
        low, share = peak / (start * end), (steps - 1 - step) / (steps - 1 - top)
    return low + (peak - low) * (1 - math.cos(math.pi * share)) / 2


def constant(step: int, steps: int, peak: float) -> float:
    """The same learning rate at every step.

    Example:
        >>> constant(3, 10, 0.5)
        0.5

    Source: Jang et al., appendix B.
    """
    return peak


def in_steps(step: int, steps: int, peak: float) -> float:
    """A tenth of the learning rate after half of the steps, a hundredth after three quarters.

    Args:
        step: from 0.
        steps: of the whole training.
        peak: the first rate.

    Returns:
        The rate of that step.

    Example:
        >>> [in_steps(step, 8, 1.0) for step in (0, 3, 4, 5, 6, 7)]
        [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]

    Source: He et al. 2015, section 4.2.
    """
    return peak * (1.0 if step < steps / 2 else 0.1 if step < 3 * steps / 4 else 0.01)


RATES: Mapping[str, Callable[[int, int, float], float]] = {
    "one-cycle": one_cycle,
    "constant": constant,
    "steps": in_steps,
}


class Descent:
    """Each weight follows its gradient, with momentum and a pull towards zero:  v ← m·v + g + d·w,  w ← w − r·v.

    It takes the steps of `torch.optim.SGD`. That class loads PyTorch's compiler when it is made, which costs each
    worker process longer than it takes to train a small network.

    Args:
        parameters: weights to train, in place.
        momentum: m, share of the last step that is kept; 0 to 1.
        weight_decay: d, pull of every weight towards zero.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], momentum: float = 0.9, weight_decay: float = 5e-4) -> None:
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.momentum, self.weight_decay = momentum, weight_decay
        self.velocity = [torch.zeros_like(parameter) for parameter in self.parameters]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The weights as torch's gradient scaler looks for them."""
        return [{"params": self.parameters}]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Follow the gradients once, then forget them; weights without a gradient stay as they are.

        Args:
            rate: r, the learning rate.
        """
        used = [place for place, parameter in enumerate(self.parameters) if parameter.grad is not None]
        weights: list[Tensor] = [self.parameters[place] for place in used]
        velocity = [self.velocity[place] for place in used]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        torch._foreach_add_(gradients, weights, alpha=self.weight_decay)
        torch._foreach_mul_(velocity, self.momentum)
        torch._foreach_add_(velocity, gradients)
        torch._foreach_add_(weights, velocity, alpha=-rate)
        self.forget()

    def forget(self) -> None:
        """Drop the gradients."""
        for parameter in self.parameters:
            parameter.grad = None
