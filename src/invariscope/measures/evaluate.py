"""All measures of all units at once, from responses in memory or from a stream of batches."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure
from invariscope.measures.block import Block
from invariscope.measures.tiles import IMAGES, tiles, working, zeros
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
from invariscope.statistics.sums import exact_device


def all_measures() -> list[Measure]:
    """One of every registered measure, in order of name.

    Returns:
        Measures for `Accumulator` and `evaluate`.

    Example:
        >>> [type(one).__name__ for one in all_measures()][:2]
        ['ActiveFraction', 'CleanVariance']
    """
    return [MEASURES[name]() for name in MEASURES]


class Accumulator:
    """The sums that all measures need, over batches in any order; accumulators over different images can be merged.

    Args:
        reference: what is known of the units over all images of the strength.
        measures: which measures; None is all that are registered.
        negative: whether responses can be negative, for all units or for each, shape (unit,), in which case the
            measures that need responses of 0 or more are NaN; None looks at the responses, and one negative response
            counts for all units.
        fused: whether to compile the sums of a batch into one loop, which is faster for very many units; "auto" does
            so for 100,000 units or more when a compiler is there, and falls back quietly.

    Example:
        >>> import torch
        >>> clean, moved = torch.tensor([[0.4], [0.0]]), torch.tensor([[0.8], [0.0]])
        >>> one = torch.ones(1)
        >>> seen = Accumulator(Reference(peak=one, clean_mean=0.2 * one, firing=0 * one, scale=one, tau=0.1))
        >>> for row in range(2):
        ...     seen.add(Pair(clean[row : row + 1], moved[row : row + 1]), torch.ones(1, 1))
        >>> round(seen.compute()["invariance"].item(), 4)
        0.6667
    """

    def __init__(
        self,
        reference: Reference,
        measures: Sequence[Measure] | None = None,
        *,
        negative: bool | Bool[Tensor, " unit"] | None = None,
        fused: bool | str = False,
    ) -> None:
        self.reference = reference
        self.measures = list(all_measures() if measures is None else measures)
        self.negative, self.fused = negative, fused
        self.sums: dict[str, Float[Tensor, "row unit"]] = {}
        self.count: Float[Tensor, "row 1"] | None = None
        self._centre: Float[Tensor, " unit"] | None = None
        self._lowest = float("inf")

    def add(self, pair: Pair, weights: Float[Tensor, "row image"]) -> None:
        """Add the responses to some images.

        Args:
            pair: responses to the images, clean and transformed; shape (image, unit).
            weights: of the same images in each row, a group of images (0 or 1) or a replicate (multiplicities).
        """
        pair = working(pair)
        images, units = pair.clean.shape
        assert pair.transformed.shape == pair.clean.shape
        assert weights.shape[1] == images
        if images == 0:
            return
        weights = weights.to(pair.clean.device, pair.clean.dtype)
        exact = exact_device(pair.clean.device)
        if self._centre is None:
            # Any value near the mean will do: it only keeps the digits of the squares.
            self._centre = pair.transformed[:IMAGES].mean(0)
            self.count = torch.zeros(len(weights), 1, dtype=torch.float64, device=exact)
        assert self.count is not None
        self.count += weights.to(exact).double().sum(1, keepdim=True)
        for rows, columns, tile, reference in tiles(pair, self.reference):
            if self.negative is None:
                self._lowest = min(self._lowest, tile.clean.amin().item(), tile.transformed.amin().item())
            block, part = Block(tile, reference, self._centre[columns]), weights[:, rows]
            for name, one in self._observe(block).items():
                if name not in self.sums:
                    self.sums[name] = zeros(len(weights), units, exact)
                self.sums[name][:, columns] += (part @ one).to(exact)

    def _observe(self, block: Block) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = {}
        for measure in self.measures:
            seen |= measure.observe(block)
        return seen

    def merge(self, other: "Accumulator") -> "Accumulator":
        """The sums over the images of both.

        Args:
            other: the same units, measures and rows, over other images.

        Returns:
            An accumulator as if all images had been added to one.
        """
        if other._centre is None:
            return self
        if self._centre is None:
            return other
        both = Accumulator(self.reference, self.measures, negative=self.negative, fused=self.fused)
        both._centre, both._lowest = self._centre, min(self._lowest, other._lowest)
        moved = other._sums_about(self._centre)
        assert self.sums.keys() == moved.keys()
        assert self.count is not None
        assert other.count is not None
        both.sums = {name: one + moved[name] for name, one in self.sums.items()}
        both.count = self.count + other.count
        return both

    def compute(self) -> dict[str, Float[Tensor, "row unit"]]:
        """The measures over everything added so far.

        Returns:
            Per column, float64; shape (row, unit); NaN where unknown.
        """
        assert self.count is not None, "nothing was added"
        sums = self._sums_about(self.reference.clean_mean)
        columns: dict[str, Tensor] = {}
        hidden = self._negative_units()
        for measure in self.measures:
            for name, values in measure.compute(sums, self.count, self.reference).items():
                columns[name] = values.masked_fill(hidden, float("nan")) if measure.nonnegative else values
        return columns

    def _sums_about(self, centre: Tensor) -> dict[str, Tensor]:
        assert self._centre is not None
        assert self.count is not None
        gap = (self._centre.to(self.count.device).double()) - centre.to(self.count.device).double()
        sums = dict(self.sums)
        for measure in self.measures:
            sums |= measure.recentre(self.sums, self.count, gap)
        return sums

    def _negative_units(self) -> Tensor:
        device = exact_device(self.reference.peak.device)
        if isinstance(self.negative, Tensor):
            return self.negative.to(device)
        return torch.tensor(self._lowest < 0 if self.negative is None else self.negative, device=device)


def evaluate(
    pair: Pair,
    reference: Reference,
    weights: Float[Tensor, "row image"],
    measures: Sequence[Measure] | None = None,
    *,
    negative: bool | Bool[Tensor, " unit"] | None = None,
) -> dict[str, Float[Tensor, "row unit"]]:
    """All measures of responses that are in memory.

    Args:
        pair: responses to all images, clean and transformed; shape (image, unit).
        reference: what is known of the units over all images.
        weights: per row, a group of images (0 or 1) or a bootstrap replicate (multiplicities).
        measures: which measures; None is all that are registered.
        negative: as in `Accumulator`.

    Returns:
        Per column, float64; shape (row, unit); NaN where unknown.

    Example:
        >>> import torch
        >>> one = torch.ones(1)
        >>> reference = Reference(peak=one, clean_mean=one, firing=0 * one, scale=one, tau=0.1)
        >>> pair = Pair(torch.tensor([[1.0], [0.7]]), torch.tensor([[0.0], [0.7]]))
        >>> evaluate(pair, reference, torch.eye(2))["invariance"].flatten().tolist()
        [0.0, 1.0]
    """
    seen = Accumulator(reference, measures, negative=negative)
    seen.add(pair, weights)
    return seen.compute()
