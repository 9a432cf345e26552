"""Which classes a network sees transformed in training, and which images it is shown."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from invariscope.core.errors import SettingError


def generator(seed: int, purpose: str) -> torch.Generator:
    """A random generator of its own for one purpose, so that no draw disturbs another.

    Args:
        seed: the network's seed.
        purpose: "seen", "order" or "coin".

    Returns:
        A generator on the CPU; the same pair of arguments always gives the same numbers.

    Example:
        >>> first, again = generator(0, "order"), generator(0, "order")
        >>> torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=again))
        True
    """
    digest = hashlib.blake2b(f"{purpose}/{seed}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def seen_classes(n_classes: int, k: int, seed: int) -> tuple[int, ...]:
    """The classes that are seen transformed: the first k of one permutation per seed, so larger sets hold smaller ones.

    Args:
        n_classes: how many classes there are.
        k: how many of them are seen transformed; 0 to n_classes.
        seed: the network's seed.

    Returns:
        Class indices, sorted.

    Raises:
        SettingError: there are not that many classes.

    Example:
        >>> set(seen_classes(60, 15, seed=3)) < set(seen_classes(60, 30, seed=3))
        True

    Source: Jang et al., section 2.1 and appendix B (nested sets).
    """
    if not 0 <= k <= n_classes:
        raise SettingError(f"k classes are seen transformed, from 0 to all {n_classes}; got k = {k}.")
    order = torch.randperm(n_classes, generator=generator(seed, "seen"))
    return tuple(sorted(order[:k].tolist()))


@dataclass(frozen=True)
class Draw:
    """One batch: which images, and how many of them, from the front, are shown transformed.

    Args:
        indices: places in the training set; shape (image,).
        n_transformed: the first so many are shown transformed.
        places: each image's place in the whole training, for its transformation's seed; shape (image,).
    """

    indices: Int[Tensor, " image"]
    n_transformed: int
    places: Int[Tensor, " image"]


class Sampler:
    """Draws a class uniformly, then one of its images, then a coin if that class is seen transformed.

    Neither the images nor the coins depend on the seen set: networks of one seed are compared in pairs.

    Args:
        labels: the training images' classes; shape (image,).
        n_classes: how many classes there are; each must have an image.
        seen: the classes that are shown transformed, half of the times.
        seed: the network's seed.
        batch_size: images per step.
        classes: the only classes that are drawn; None draws all.
        purpose: draws for another purpose are independent.

    Raises:
        SettingError: a class has no image.

    Source: Jang et al., section 2.1.
    """

    def __init__(
        self,
        labels: Int[Tensor, " image"],
        n_classes: int,
        seen: tuple[int, ...],
        seed: int,
        batch_size: int,
        *,
        classes: tuple[int, ...] | None = None,
        purpose: str = "",
    ) -> None:
        self._classes = None if classes is None else torch.tensor(classes)
        self.batch_size = batch_size
        self.n_images = len(labels) if self._classes is None else int(torch.isin(labels, self._classes).sum())
        self._by_class = torch.argsort(labels, stable=True)
        self._counts = torch.bincount(labels, minlength=n_classes)
        if bool((self._counts == 0).any()):
            empty = int((self._counts == 0).nonzero()[0])
            raise SettingError(f"class {empty} has no training image; leave it out or give it some.")
        self._starts = self._counts.cumsum(0) - self._counts
        self._seen = torch.zeros(n_classes, dtype=torch.bool)
        self._seen[list(seen)] = True
        self._order, self._coin = generator(seed, f"order{purpose}"), generator(seed, f"coin{purpose}")
        self._drawn = 0

    def state(self) -> dict[str, Tensor]:
        """Where its draws stand, between two epochs."""
        drawn = torch.tensor(self._drawn)
        return {"order": self._order.get_state(), "coin": self._coin.get_state(), "drawn": drawn}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on drawing from a kept state."""
        self._order.set_state(state["order"])
        self._coin.set_state(state["coin"])
        self._drawn = int(state["drawn"])

    @property
    def steps_per_epoch(self) -> int:
        """How many batches make an epoch: as many draws as there are images, the rest of a batch left out."""
        return max(self.n_images // self.batch_size, 1)

    def epoch(self) -> Iterator[Draw]:
        """The batches of the next epoch; all its draws are made before the first one is given."""
        shape = (self.steps_per_epoch, min(self.batch_size, self.n_images))
        n_classes = len(self._counts if self._classes is None else self._classes)
        classes = torch.randint(n_classes, shape, generator=self._order)
        if self._classes is not None:
            classes = self._classes[classes]
        position = (torch.rand(shape, generator=self._order, dtype=torch.float64) * self._counts[classes]).long()
        indices = self._by_class[self._starts[classes] + position]
        transformed: Bool[Tensor, "step image"] = (torch.rand(shape, generator=self._coin) < 0.5) & self._seen[classes]
        places = torch.arange(indices.numel()).reshape(shape) + self._drawn
        self._drawn += indices.numel()
        front = torch.argsort((~transformed).byte(), dim=1, stable=True)
        indices, places = indices.gather(1, front), places.gather(1, front)
        counts = transformed.sum(1).tolist()
        return (Draw(*row) for row in zip(indices, counts, places, strict=True))
