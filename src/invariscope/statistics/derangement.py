"""Another image for every image: what the null compares with."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor


def derangement(n: int, seed: int) -> Int[Tensor, " image"] | None:
    """A partner for each image that is never the image itself.

    The images are shuffled and neighbours become each other's partners; the last three of an odd number take turns.
    So the partner's response is nearly always already at hand when images are read in the shuffled order.

    Args:
        n: images in the set.
        seed: of the shuffle.

    Returns:
        The index of each image's partner, a permutation without fixed points; None when there is no other image.

    Example:
        >>> partner = derangement(4, seed=0)
        >>> torch.equal(partner[partner], torch.arange(4)), bool((partner == torch.arange(4)).any())
        (True, False)
    """
    if n < 2:
        return None
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n)
    partner = np.empty(n, np.int64)
    pairs = (n - 3 * (n % 2)) // 2
    left, right = order[0 : 2 * pairs : 2], order[1 : 2 * pairs : 2]
    partner[left], partner[right] = right, left
    rest = order[2 * pairs :]
    partner[rest] = np.roll(rest, -1)
    return torch.from_numpy(partner)


def neighbours(n: int) -> Int[Tensor, " image"] | None:
    """Every image's neighbour in processing order, which is shuffled; the last three of an odd number take turns.

    Args:
        n: how many images.

    Returns:
        A permutation without fixed points; None when there is no other image.

    Example:
        >>> neighbours(5).tolist()
        [1, 0, 3, 4, 2]
    """
    if n < 2:
        return None
    partner = torch.arange(n) ^ 1
    if n % 2:
        partner[-3:] = torch.tensor([n - 2, n - 1, n - 3])
    return partner
