"""All measures of all units at one strength, for every group of images and every bootstrap replicate."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from invariscope.measures.base import MEASURES
from invariscope.measures.evaluate import evaluate
from invariscope.measures.negative import without_negative
from invariscope.responses.matrix import Columns
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
from invariscope.runs.settings import Settings
from invariscope.statistics.top_share import top_share_threshold

Values = Mapping[str, Float[Tensor, "row unit"]]


@dataclass(frozen=True)
class Evaluator:
    """Compares one set of clean responses with any number of transformed ones.

    Args:
        clean: responses to the images; shape (image, unit).
        columns: which units belong to which site.
        partner: another image for each image, for the null; shape (image,); None with a single image.
        weights: per row, a group of images or a replicate of one; shape (row, image).
        settings: tau, firing and the treatment of negative responses.
    """

    clean: Float[Tensor, "image unit"]
    columns: Columns
    partner: Int[Tensor, " image"] | None
    weights: Float[Tensor, "row image"]
    settings: Settings
    firing: Float[Tensor, " unit"]
    clean_negative: Bool[Tensor, " unit"]

    @classmethod
    def of(
        cls,
        clean: Float[Tensor, "image unit"],
        columns: Columns,
        partner: Int[Tensor, " image"] | None,
        weights: Float[Tensor, "row image"],
        settings: Settings,
    ) -> "Evaluator":
        """Prepare what depends on the clean responses alone."""
        firing = top_share_threshold(clean, settings.firing)
        return cls(clean, columns, partner, weights, settings, firing, by_site(clean.amin(0) < 0, columns))

    def __call__(
        self, transformed: Float[Tensor, "image unit"], rows: slice | None = None, only: tuple[str, ...] | None = None
    ) -> tuple[Values, Bool[Tensor, " unit"]]:
        """All measures, and which units lie in a site with negative responses.

        Args:
            transformed: responses to the transformed images; shape (image, unit).
            rows: which rows of the weights; None is all.
            only: names of measures; None is all that are registered.
        """
        weights = self.weights if rows is None else self.weights[rows]
        measures = [MEASURES[name]() for name in (only or MEASURES)]
        negative = self.clean_negative | by_site(transformed.amin(0) < 0, self.columns)
        partner = None if self.partner is None else self.partner.to(transformed.device)
        pair = Pair(self.clean, transformed, None if partner is None else transformed[partner])
        if self.settings.negative is None or not bool(negative.any()):
            return evaluate(pair, self._reference(pair), weights, measures, negative=negative), negative
        signed = [measure for measure in measures if not measure.nonnegative]
        values = dict(evaluate(pair, self._reference(pair), weights, signed, negative=False)) if signed else {}
        low = torch.minimum(self.clean.amin(0), transformed.amin(0))
        clean, moved = (
            torch.where(negative, without_negative(block, self.settings.negative, low), block)
            for block in (self.clean, transformed)
        )
        mapped = Pair(clean, moved, None if partner is None else moved[partner])
        rest = [measure for measure in measures if measure.nonnegative]
        if rest:
            values |= evaluate(mapped, self._reference(mapped), weights, rest, negative=False)
        return values, negative

    def _reference(self, pair: Pair) -> Reference:
        return Reference(
            peak=torch.maximum(pair.clean.amax(0), pair.transformed.amax(0)),
            clean_mean=pair.clean.mean(0),
            firing=self.firing,
            scale=pair.clean.abs().amax(0),
            tau=self.settings.tau,
        )


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
