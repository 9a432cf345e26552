"""What a step of training shows: a function of the seed and the step alone, so that a training can go on anywhere."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.seeds import image_seeds, normal, uniform
from invariscope.learned.settings import HEADS


class Draws:
    """Images, control parameters and unit vectors of every step.

    Args:
        seed: of the training.
        places: of the images to draw from.
        batch_size: images per step.
    """

    def __init__(self, seed: int, places: Int[Tensor, " place"], batch_size: int) -> None:
        self._seed, self._places, self._batch_size = seed, places, batch_size

    def images(self, step: int) -> Int[Tensor, " image"]:
        """Places of the step's images: every image once before any comes again."""
        n = len(self._places)
        positions = torch.arange(step * self._batch_size, (step + 1) * self._batch_size)
        found = torch.empty_like(positions)
        for epoch in sorted(set((positions // n).tolist())):
            order = uniform(self._seeds(epoch, "order"), (n,))[0].argsort(stable=True)
            here = positions // n == epoch
            found[here] = order[positions[here] % n]
        return self._places[found]

    def k(self, step: int, head: str, count: int) -> Float[Tensor, "k 2"]:
        """Control parameters of a head, uniform on [0, 1)²."""
        return uniform(self._seeds(step, f"k/{head}"), (count, 2))[0]

    def vectors(self, step: int, head: str, count: int, size: int) -> Float[Tensor, "vector column"]:
        """Directions, uniform on the sphere once they are brought to length one."""
        return normal(self._seeds(step, f"vectors/{head}"), (count, size), stream=HEADS.index(head))[0]

    def _seeds(self, number: int, what: str) -> Tensor:
        return image_seeds(torch.tensor([number]), self._seed, f"learn/{what}")
