"""The small network that turns a control parameter into the parameters of a transformation."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

HIDDEN = 32


class Steering(nn.Module):
    """A perceptron 2-32-32-n with rectifiers, whose answer is how far a transformation is from the identity.

    With an anchor MLP(k) − MLP(0), which is exactly 0 at k = 0; else MLP(k), or MLP(k) − I from a random start.

    Args:
        identity: the transformation's parameters where it changes nothing; shape (parameter,).
        anchor: subtract MLP(0).
        start: "identity" (MLP gives deviations) or "random" (MLP gives the parameters themselves, as in the paper).
        init_std: standard deviation of the last layer's weights, for "identity".
        generator: draws the weights.

    Source: Bunne et al., §III.D (FC₁, FC₂); the anchor is ours.
    """

    identity: Tensor

    def __init__(
        self,
        identity: Float[Tensor, " parameter"],
        anchor: bool,
        start: str,
        init_std: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        # skip_init: torch's own first values would come from the global generator.
        shapes = ((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, len(identity)))
        layers: list[nn.Linear] = [nn.utils.skip_init(nn.Linear, *s) for s in shapes]  # type: ignore[no-untyped-call]
        self.layers = nn.ModuleList(layers)
        self.register_buffer("identity", identity, persistent=False)
        self.anchor, self.start = anchor, start
        with torch.no_grad():
            for layer in layers:
                bound = 1 / math.sqrt(layer.in_features)
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
            if start == "identity":
                layers[-1].weight.normal_(0, init_std, generator=generator)
                layers[-1].bias.zero_()

    def forward(self, k: Float[Tensor, "k 2"]) -> Float[Tensor, "k parameter"]:
        """F(k) − I.

        Args:
            k: control parameters, from 0 to 1; shape (k, 2).

        Returns:
            One deviation per k; exactly 0 at k = 0 with an anchor.
        """
        if self.anchor:
            moved = self._answer(k) - self._answer(torch.zeros_like(k[:1]))
            # A batch of many rows rounds otherwise than one of a single row.
            return torch.where((k == 0).all(1, keepdim=True), torch.zeros_like(moved), moved)
        return self._answer(k) - self.identity if self.start == "random" else self._answer(k)

    def _answer(self, k: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            k = layer(k).relu()
        answer: Tensor = self.layers[-1](k)
        return answer
