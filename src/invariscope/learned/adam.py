"""Adam, with averages that can be kept in a file."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class Adam:
    """Every weight steps against the average of its gradients, over the root of that of their squares.

    m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − r·m̂/(√v̂ + ε), with m̂ and v̂ corrected for their start at 0. Each
    weight is on its own: the weights of two heads do not see each other's gradients.

    With a floor, ε grows by that share of the root mean square of √v̂ over the group's weights: a weight whose gradient is
    small beside its group's then takes a small step, where Adam's steps are all alike.

    Without one it takes the steps of `torch.optim.Adam`. That class loads PyTorch's compiler when it is made, and keeps its state
    in pickles.

    Args:
        weights: by name, changed in place; those of one group have the same second part, as in "steering.colour.0".
        betas: β₁ and β₂.
        floor: 0 or more.

    Source: Kingma & Ba 2015, algorithm 1.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], betas: tuple[float, float] = (0.9, 0.999), floor: float = 0.0
    ) -> None:
        self._weights, self._betas, self._floor = dict(weights), betas, floor
        groups: dict[str, list[str]] = {}
        for name in weights:
            groups.setdefault(name.split(".")[1], []).append(name)
        self._groups = list(groups.values())
        self._means = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self._squares = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self._count = torch.zeros((), dtype=torch.int64)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Follow the gradients once.

        Args:
            gradients: in the order of the weights.
            rate: r, the learning rate.
        """
        first, second = self._betas
        self._count += 1
        count = int(self._count)
        for name, gradient in zip(self._weights, gradients, strict=True):
            self._means[name].lerp_(gradient, 1 - first)
            self._squares[name].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        for group in self._groups:
            together = torch.cat([self._squares[name].flatten() for name in group]).mean()
            least = 1e-8 + self._floor * (together / (1 - second**count)).sqrt()
            for name in group:
                root = (self._squares[name] / (1 - second**count)).sqrt_().add_(least)
                self._weights[name].addcdiv_(self._means[name], root, value=-rate / (1 - first**count))

    def state(self) -> dict[str, Tensor]:
        """The averages themselves, by name; writing into them is restoring them."""
        kept = {f"mean/{name}": value for name, value in self._means.items()}
        return kept | {f"square/{name}": value for name, value in self._squares.items()} | {"count": self._count}


def clipped(gradients: Sequence[Tensor], longest: float | None) -> list[Tensor]:
    """Gradients, shortened together where they are longer than allowed.

    Example:
        >>> clipped([torch.tensor([3.0]), torch.tensor([4.0])], 1.0)
        [tensor([0.6000]), tensor([0.8000])]
    """
    length = torch.stack([gradient.norm() for gradient in gradients]).norm()
    if longest is None or float(length) <= longest:
        return list(gradients)
    return [gradient * (longest / length) for gradient in gradients]
