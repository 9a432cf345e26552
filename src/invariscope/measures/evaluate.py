"""All measures of all units at once, from responses in memory or from a stream of batches."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure
from invariscope.measures.block import Block
from invariscope.measures.fused import Fuser
from invariscope.measures.tiles import IMAGES, UNITS, tiles, working, zeros
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
        fused: whether to compile the sums of 64 images into one loop, which is faster for very many units; "auto" does
            so for 200,000 units or more, and where no compiler is there it does without.

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
        self.negative, self._fuser = negative, Fuser(self.measures, fused)
        self.sums: dict[str, Float[Tensor, "row unit"]] = {}
        self.count: Float[Tensor, "row 1"] | None = None
        self._centre: Float[Tensor, " unit"] | None = None
        self._lowest = float("inf")

    @property
    def device(self) -> torch.device:
        """Where the sums are."""
        return exact_device(self.reference.peak.device)

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
        if images == 0 or units == 0:
            return
        weights = weights.to(pair.clean.device, pair.clean.dtype)
        exact = self.device
        if self._centre is None:
            # Any value near the mean will do: it only keeps the digits of the squares.
            self._centre = pair.transformed[:IMAGES].mean(0)
            self.count = torch.zeros(len(weights), 1, dtype=torch.float64, device=exact)
        assert self.count is not None
        self.count += weights.to(exact).double().sum(1, keepdim=True)
        if self.negative is None:
            self._lowest = min(self._lowest, pair.clean.amin().item(), pair.transformed.amin().item())
        done, found = self._fuser.sums(pair, self.reference, self._centre, weights)
        for sums in found:
            self._take(sums, slice(0, units), units)
        rest = slice(done, images)
        other = None if pair.other is None else pair.other[rest]
        pair, weights = Pair(pair.clean[rest], pair.transformed[rest], other), weights[:, rest]
        # Many rows make sums dearer than contributions: higher tiles then hand over to float64 less often.
        few = len(weights) <= 16
        for rows, columns, block in self.blocks(pair, *((IMAGES, UNITS) if few else (4 * IMAGES, UNITS // 4))):
            part = weights[:, rows]
            self._take({name: part @ one for name, one in self.observe(block).items()}, columns, units)

    def _take(self, sums: Mapping[str, Tensor], columns: slice, units: int) -> None:
        for name, one in sums.items():
            if name not in self.sums:
                self.sums[name] = zeros(len(one), units, self.device)
            self.sums[name][:, columns] += one.to(self.device)

    def blocks(self, pair: Pair, tall: int = IMAGES, wide: int = UNITS) -> Iterator[tuple[slice, slice, Block]]:
        """The pair in tiles, about this accumulator's centre.

        Args:
            pair: responses to some images; shape (image, unit).
            tall: images in a tile.
            wide: units in a tile.

        Yields:
            Which images, which units, and their block.
        """
        assert self._centre is not None
        for rows, columns, tile, reference in tiles(pair, self.reference, tall, wide):
            yield rows, columns, Block(tile, reference, self._centre[columns])

    def observe(self, block: Block) -> dict[str, Float[Tensor, "image unit"]]:
        """What each image contributes to the sums.

        Args:
            block: of `blocks`.

        Returns:
            The contributions of all measures, by name.
        """
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
        both = Accumulator(self.reference, self.measures, negative=self.negative)
        both._fuser = self._fuser
        both._centre, both._lowest = self._centre, min(self._lowest, other._lowest)
        assert self.count is not None
        assert other.count is not None
        moved = other._about(self._centre, other.sums, other.count)
        assert self.sums.keys() == moved.keys()
        both.sums = {name: one + moved[name] for name, one in self.sums.items()}
        both.count = self.count + other.count
        return both

    def compute(self) -> dict[str, Float[Tensor, "row unit"]]:
        """The measures over everything added so far.

        Returns:
            Per column, float64; shape (row, unit); NaN where unknown.
        """
        assert self.count is not None, "nothing was added"
        return self.compute_from(self.sums, self.count)

    def compute_from(
        self, sums: Mapping[str, Float[Tensor, "row unit"]], count: Float[Tensor, "row ..."]
    ) -> dict[str, Float[Tensor, "row unit"]]:
        """The measures from sums about this accumulator's centre; they can be differentiated.

        Args:
            sums: by name, float64; shape (row, unit).
            count: sum of the weights.

        Returns:
            Per column, float64; shape (row, unit); NaN where unknown.
        """
        about_clean = self._about(self.reference.clean_mean, sums, count)
        hidden = self._negative_units()
        columns: dict[str, Tensor] = {}
        for measure in self.measures:
            for name, values in measure.compute(about_clean, count, self.reference).items():
                columns[name] = values.masked_fill(hidden, float("nan")) if measure.nonnegative else values
        return columns

    def _about(self, centre: Tensor, sums: Mapping[str, Tensor], count: Tensor) -> dict[str, Tensor]:
        assert self._centre is not None
        gap = self._centre.to(self.device).double() - centre.to(self.device).double()
        moved = dict(sums)
        for measure in self.measures:
            moved |= measure.recentre(sums, count, gap)
        return moved

    def _negative_units(self) -> Tensor:
        if isinstance(self.negative, Tensor):
            return self.negative.to(self.device)
        return torch.tensor(self._lowest < 0 if self.negative is None else self.negative, device=self.device)


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
