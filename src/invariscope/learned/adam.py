"""Adam, with averages that can be kept in a file."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class Adam:
    """Every weight steps against the average of its gradients, over the root of that of their squares.

    m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − r·m̂/(√v̂ + ε), with m̂ and v̂ corrected for their start at 0. Each
    weight is on its own: the weights of two heads do not see each other's gradients.

    It takes the steps of `torch.optim.Adam`. That class loads PyTorch's compiler when it is made, and keeps
    its state in pickles.

    Args:
        weights: by name, changed in place.
        betas: β₁ and β₂.

    Source: Kingma & Ba 2015, algorithm 1.
    """

    def __init__(self, weights: Mapping[str, Tensor], betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self._weights, self._betas = dict(weights), betas
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
        for (name, weight), gradient in zip(self._weights.items(), gradients, strict=True):
            mean, square = self._means[name], self._squares[name]
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            root = (square / (1 - second**count)).sqrt_().add_(1e-8)
            weight.addcdiv_(mean, root, value=-rate / (1 - first**count))

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
