"""Bootstrap intervals of layer means at the price of one more pass, not of one more pass per replicate."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.measures.evaluate import Accumulator
from invariscope.measures.layers import layer_values
from invariscope.measures.tiles import working
from invariscope.responses.pair import Pair
from invariscope.statistics.resampling import percentile_interval

# Sums run over units here, so that tiles as high as wide cut layers into fewer pieces and cost no digits.
_TALL, _WIDE = 256, 256


class Influence:
    """How much each image moves the mean of each measure over a layer's units.

    A measure is a smooth function of sums over images, so drawing image i once more moves the layer's mean M by
    ψ_i = w_i (Σ_k ∂M/∂S_k · x_ki + ∂M/∂n), to first order; the gradient is taken by differentiating `compute`. A
    bootstrap replicate with multiplicities m is then M + Σ_i (m_i − 1) ψ_i. Images are the clusters: all units of a
    layer see the same ones.

    Args:
        seen: the sums over all images, of the units of one layer or of several.
        n_images: images in the set.
        layers: which units belong to which layer; None takes all units for one layer called "all".

    Example:
        >>> from invariscope.responses.reference import Reference
        >>> from invariscope.statistics.resampling import bootstrap_weights
        >>> one, rows = torch.ones(1), torch.ones(1, 4)
        >>> reference = Reference(peak=one, clean_mean=one, firing=0 * one, scale=one, tau=0.1)
        >>> pair = Pair(torch.ones(4, 1), torch.tensor([[1.0], [1.0], [0.0], [0.0]]))
        >>> seen = Accumulator(reference)
        >>> seen.add(pair, rows)
        >>> influence = Influence(seen, 4)
        >>> influence.add(pair, rows, torch.arange(4))
        >>> low, high = influence.intervals(bootstrap_weights(4, 200, seed=0))["all"]["invariance"]
        >>> low.item() < 0.5 < high.item()
        True

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 20 (infinitesimal jackknife) and
        section 22.6 (linear approximation of a statistic).
    """

    def __init__(self, seen: Accumulator, n_images: int, layers: Mapping[str, slice] | None = None) -> None:
        assert seen.count is not None, "nothing was added"
        units = len(seen.reference.peak)
        self._seen, self._rows = seen, len(seen.count)
        self._layers = {name: range(units)[part] for name, part in (layers or {"all": slice(None)}).items()}
        self._means, slopes, in_count = _slopes(seen, list(self._layers.values()))
        self._count_slopes = torch.stack(in_count, 1)
        kind, device = seen.reference.peak.dtype, seen.reference.peak.device
        # Most sums move few measures: only those are multiplied, measures side by side and rows within.
        self._moved: dict[str, list[int]] = {}
        self._slopes: dict[str, Tensor] = {}
        self._psi: dict[str, Tensor] = {}
        for name in seen.sums:
            places = [place for place, one in enumerate(slopes) if bool(one[name].any())]
            if places:
                self._moved[name] = places
                self._slopes[name] = (
                    torch.cat([slopes[place][name] for place in places]).T.to(device, kind).contiguous()
                )
                shape = (n_images, len(self._layers), len(places) * self._rows)
                self._psi[name] = torch.zeros(shape, dtype=torch.float64, device=seen.device)
        self._weights = torch.zeros(n_images, self._rows, dtype=torch.float64, device=seen.device)

    def add(self, pair: Pair, weights: Float[Tensor, "row image"], images: Int[Tensor, " image"]) -> None:
        """Add the influence of some images.

        Args:
            pair: responses to the images, as they were given to the accumulator; shape (image, unit).
            weights: as they were given to the accumulator; shape (row, image).
            images: the images' places in the set; shape (image,).
        """
        # No interval is asked for the null, so the partners' responses are left out.
        pair = working(Pair(pair.clean, pair.transformed))
        images = images.to(self._weights.device)
        self._weights[images] = weights.T.to(self._weights)
        seen = {name: torch.zeros(len(images), *one.shape[1:]).to(one) for name, one in self._psi.items()}
        for rows, columns, block in self._seen.blocks(pair, _TALL, _WIDE):
            parts = [
                (place, max(units.start, columns.start), min(units.stop, columns.stop))
                for place, units in enumerate(self._layers.values())
                if units.start < columns.stop and units.stop > columns.start
            ]
            for name, one in self._seen.observe(block).items():
                for place, start, stop in parts if name in self._slopes else ():
                    moved = one[:, start - columns.start : stop - columns.start] @ self._slopes[name][start:stop].to(
                        one.dtype
                    )
                    seen[name][rows, place] += moved.to(self._weights)
        for name, one in seen.items():
            self._psi[name][images] = one

    def intervals(
        self, multiplicities: Float[Tensor, "replicate image"], level: float = 0.95
    ) -> dict[str, dict[str, tuple[Float[Tensor, " row"], Float[Tensor, " row"]]]]:
        """The bootstrap interval of each measure's mean over each layer's units.

        Args:
            multiplicities: of `bootstrap_weights`; shape (replicate, image).
            level: confidence, 0 to 1.

        Returns:
            Per layer and measure, the low and the high end, each of shape (row,); NaN where the mean is.
        """
        psi = self._count_slopes.repeat(len(self._weights), 1, 1, 1)
        for name, places in self._moved.items():
            parts = self._psi[name].view(*self._psi[name].shape[:2], len(places), self._rows)
            psi[:, :, places] += parts
        psi *= self._weights[:, None, None]
        shift = (multiplicities.to(psi) - 1) @ psi.flatten(1)
        means = torch.stack(list(self._means.values()), 1)
        low, high = percentile_interval(means + shift.view(-1, *means.shape), level)
        return {
            layer: {name: (low[at, place], high[at, place]) for place, name in enumerate(self._means)}
            for at, layer in enumerate(self._layers)
        }


def _slopes(
    seen: Accumulator, layers: Sequence[range]
) -> tuple[dict[str, Tensor], list[dict[str, Tensor]], list[Tensor]]:
    """Means (layer, row) per measure; per measure, slopes (row, unit) in each sum; the same in the sum of weights."""
    assert seen.count is not None
    means, slopes, in_count = {}, [], []
    with torch.enable_grad():
        sums = {name: one.detach().clone().requires_grad_() for name, one in seen.sums.items()}
        # One count per unit, so that the slopes in it can be told apart by layer.
        count = seen.count.repeat(1, len(seen.reference.peak)).requires_grad_()
        for measure, value in layer_values(seen.compute_from(sums, count)).items():
            valid = ~value.isnan()
            known = value.where(valid, 0.0)
            mean = torch.stack([known[:, part].sum(1) / valid[:, part].sum(1) for part in map(_slice, layers)])
            leaves = [*sums.values(), count]
            found = torch.autograd.grad(mean.nansum(), leaves, retain_graph=True, materialize_grads=True)
            *in_sums, last = (one.nan_to_num(0, 0, 0) * valid for one in found)
            means[measure] = mean.detach()
            slopes.append(dict(zip(sums, in_sums, strict=True)))
            in_count.append(torch.stack([last[:, part].sum(1) for part in map(_slice, layers)]))
    return means, slopes, in_count


def _slice(units: range) -> slice:
    return slice(units.start, units.stop)
