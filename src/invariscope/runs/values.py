"""All measures of all units at one strength, for every group of images."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from invariscope.measures.base import MEASURES, Measure
from invariscope.measures.evaluate import Accumulator, evaluate
from invariscope.measures.influence import Influence
from invariscope.measures.moments import ROUNDING
from invariscope.measures.negative import without_negative
from invariscope.responses.matrix import Columns
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
from invariscope.runs.settings import Settings
from invariscope.statistics.extremes import Extremes
from invariscope.statistics.resampling import bootstrap_weights
from invariscope.statistics.top_share import top_share_threshold

Values = Mapping[str, Float[Tensor, "row unit"]]
Intervals = Mapping[str, Mapping[str, tuple[Float[Tensor, " row"], Float[Tensor, " row"]]]]


@dataclass(frozen=True)
class Evaluated:
    """All measures of all units at one strength.

    Args:
        values: per column; shape (group, unit).
        negative: whether the unit's site has negative responses; shape (unit,).
        intervals: of each layer's means, per site and measure: low and high; shape (group,) each.
    """

    values: Values
    negative: Bool[Tensor, " unit"]
    intervals: Intervals


@dataclass(frozen=True)
class Evaluator:
    """Compares one set of clean responses with any number of transformed ones.

    Args:
        clean: responses to the images; shape (image, unit).
        columns: which units belong to which site.
        partner: another image for each image, for the null; shape (image,); None with a single image.
        groups: sets of images; shape (group, image).
        settings: tau, firing and the treatment of negative responses.
        firing: threshold of the clean responses' top share; shape (unit,).
        multiplicities: how often each bootstrap replicate draws each image; shape (replicate, image).
    """

    clean: Float[Tensor, "image unit"]
    columns: Columns
    partner: Int[Tensor, " image"] | None
    groups: Float[Tensor, "group image"]
    settings: Settings
    firing: Float[Tensor, " unit"]
    multiplicities: Float[Tensor, "replicate image"]

    @classmethod
    def of(
        cls,
        clean: Float[Tensor, "image unit"],
        columns: Columns,
        groups: Float[Tensor, "group image"],
        settings: Settings,
        partner: Int[Tensor, " image"] | None,
    ) -> "Evaluator":
        """Prepare what depends on the clean responses alone."""
        partner = None if partner is None else partner.to(clean.device)
        firing = top_share_threshold(clean, settings.firing)
        drawn = bootstrap_weights(len(clean), settings.replicates, settings.seed)
        return cls(clean, columns, partner, groups, settings, firing, drawn)

    def __call__(self, transformed: Float[Tensor, "image unit"]) -> Evaluated:
        """All measures, with the intervals of the layers' means.

        Args:
            transformed: responses to the transformed images; shape (image, unit).
        """
        negative = self.negative(transformed)
        values: dict[str, Tensor] = {}
        intervals: dict[str, dict[str, tuple[Tensor, Tensor]]] = {name: {} for name in self.columns}
        for pair, measures, hidden in self._views(transformed, negative):
            seen = Accumulator(self._reference(pair), measures, negative=hidden)
            seen.add(pair, self.groups)
            values |= seen.compute()
            if len(self.clean) > 1:
                influence = Influence(seen, len(self.clean), self.columns)
                influence.add(pair, self.groups, torch.arange(len(self.clean)))
                for name, found in influence.intervals(self.multiplicities).items():
                    intervals[name] |= found
        return Evaluated(values, negative, intervals)

    def invariance(self, transformed: Float[Tensor, "image unit"]) -> Float[Tensor, "group unit"]:
        """The invariance coefficient alone."""
        negative = self.negative(transformed)
        (pair, _, hidden), *rest = self._views(transformed, negative)
        if rest:
            pair, _, hidden = rest[0]
        pair = Pair(pair.clean, pair.transformed)
        return evaluate(pair, self._reference(pair), self.groups, [MEASURES["invariance"]()], negative=hidden)[
            "invariance"
        ]

    def replicates(
        self, transformed: Float[Tensor, "image unit"], site: str, group: int, names: tuple[str, ...]
    ) -> dict[str, Float[Tensor, "replicate member"]]:
        """Some measures of one site's units in every bootstrap replicate over a group's images.

        Args:
            transformed: responses to the transformed images; shape (image, unit).
            site: whose units.
            group: row of the groups.
            names: of measures.
        """
        part = self.columns[site]
        narrow = Evaluator(
            self.clean[:, part],
            Columns({site: part.stop - part.start}),
            None,
            self.multiplicities * self.groups[group],
            self.settings,
            self.firing[part],
            self.multiplicities,
        )
        here = transformed[:, part]
        *_, (pair, _, hidden) = narrow._views(here, narrow.negative(here))
        measures = [MEASURES[name]() for name in names]
        return evaluate(pair, narrow._reference(pair), narrow.groups, measures, negative=hidden)

    def negative(self, transformed: Float[Tensor, "image unit"]) -> Bool[Tensor, " unit"]:
        """Whether the unit's site has negative responses, clean or transformed."""
        return by_site((self.clean.amin(0) < 0) | (transformed.amin(0) < 0), self.columns)

    def _views(self, transformed: Tensor, negative: Tensor) -> list[tuple[Pair, list[Measure], Bool[Tensor, " unit"]]]:
        """Responses as they are, and, where negative ones are to be treated, as the measures of activity see them.

        With either, the measures, and the units of which those that need responses of 0 or more say nothing.
        """
        measures = [MEASURES[name]() for name in MEASURES]
        moved = None if self.partner is None else transformed[self.partner]
        plain = Pair(self.clean, transformed, moved)
        if self.settings.negative is None or not bool(negative.any()):
            return [(plain, measures, negative | constant(plain))]
        low = torch.minimum(self.clean.amin(0), transformed.amin(0))
        clean, changed = (
            torch.where(negative, without_negative(block, self.settings.negative, low), block)
            for block in (self.clean, transformed)
        )
        mapped = Pair(clean, changed, None if self.partner is None else changed[self.partner])
        return [
            (plain, [measure for measure in measures if not measure.nonnegative], torch.zeros_like(negative)),
            (mapped, [measure for measure in measures if measure.nonnegative], constant(mapped)),
        ]

    def _reference(self, pair: Pair) -> Reference:
        return Reference(
            peak=torch.maximum(pair.clean.amax(0), pair.transformed.amax(0)),
            clean_mean=pair.clean.mean(0),
            firing=self.firing,
            scale=pair.clean.abs().amax(0),
            tau=self.settings.tau,
        )


def constant(pair: Pair) -> Bool[Tensor, " unit"]:
    """Units that answer the same to every image, clean or transformed, but for rounding: not invariant but dead.

    Units that are silent throughout are not among them: they are never active, and counted so.

    Example:
        >>> one = torch.tensor([[0.3, 0.0, 0.0, 0.2]])
        >>> constant(Pair(one, torch.tensor([[0.3, 0.0, 0.5, 0.1]]))).tolist()
        [True, False, False, False]
    """
    both = Extremes.of(pair.clean).merge(Extremes.of(pair.transformed))
    return (both.high - both.low <= ROUNDING * both.scale) & (both.high > 0)


def by_site(units: Bool[Tensor, " unit"], columns: Columns) -> Bool[Tensor, " unit"]:
    """True for every unit of a site in which any unit is.

    Example:
        >>> by_site(torch.tensor([False, True, False]), Columns({"a": 2, "b": 1})).tolist()
        [True, True, False]
    """
    spread = units.clone()
    for part in columns.values():
        spread[part] = units[part].any()
    return spread
