"""How much a unit varies over the magnitudes of a transformation, against over images."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.registry import Registry
from invariscope.measures.base import ratio
from invariscope.measures.moments import LOST, ROUNDING
from invariscope.measures.tiles import IMAGES, zeros
from invariscope.statistics.resampling import bootstrap_weights, percentile_interval
from invariscope.statistics.sums import exact_device

SWEEP_MEASURES: Registry[type["Variances"]] = Registry("measure over magnitudes", "invariscope.measures")

# Random folds of images stand for the images in a bootstrap: enough of them that the interval's own error, 1/√48, is
# that of two hundred replicates, and few enough to hold the sums of each.
N_FOLDS = 25

# A tile of responses and what is made of it stays in a processor's cache.
_TALL, _WIDE = 32, 4096


def image_folds(n_images: int, seed: int = 0) -> Int[Tensor, " image"]:
    """A random fold for each image, all folds as large as can be.

    Args:
        n_images: images in the set.
        seed: of the assignment.

    Returns:
        Numbers from 0 to `N_FOLDS` − 1; shape (image,).

    Example:
        >>> image_folds(50).bincount().unique().tolist()
        [2]
    """
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n_images)
    return torch.from_numpy(order % N_FOLDS)


@SWEEP_MEASURES.add("variances")
class Variances:
    """How much a unit varies over magnitudes (the identity among them), over images, and the ratio: 0 is invariant.

    With a(x, t) the response to image x at magnitude t and standard deviations with n − 1,
    transformation = mean over x of std over t of a;  sample = mean over t of std over x of a;
    normalized = transformation / sample, NaN where the sample variance is 0 but for rounding.
    All three are standard deviations, whatever their names say.

    Args:
        clean: responses at the identity magnitude; shape (image, unit).
        weights: per row, a group of images (0 or 1) or a replicate (multiplicities); shape (row, image).
        folds: a number from 0 to `N_FOLDS` − 1 for each image, which `intervals` resamples together; shape (image,);
            None keeps no folds, and there are no intervals then.

    Example:
        >>> seen = Variances(torch.tensor([[0.0], [2.0]]), torch.ones(1, 2))
        >>> seen.add(torch.tensor([[2.0], [4.0]]))
        >>> {name: round(value.item(), 3) for name, value in seen.finish().items()}
        {'transformation_variance': 1.414, 'sample_variance': 1.414, 'normalized_variance': 1.0}

    Source: Quiroga et al., Measuring (in)variances in convolutional networks (2019): transformation, sample and
        normalized variance.
    """

    columns = ("transformation_variance", "sample_variance", "normalized_variance")

    def __init__(
        self,
        clean: Float[Tensor, "image unit"],
        weights: Float[Tensor, "row image"],
        folds: Int[Tensor, " image"] | None = None,
    ) -> None:
        self._clean = clean if clean.dtype in (torch.float32, torch.float64) else clean.float()
        self._rows = len(weights)
        if folds is not None:
            # Row r of fold k stands at r · N_FOLDS + k; the folds of a row add up to it.
            member = torch.nn.functional.one_hot(folds.long().to(weights.device), N_FOLDS).T.to(weights)
            weights = (weights[:, None] * member).flatten(0, 1)
        self._weights = weights.to(self._clean)
        self._exact = exact_device(clean.device)
        self._first, self._second = torch.zeros_like(self._clean), torch.zeros_like(self._clean)
        self._count = self._weights.to(self._exact).double().sum(1, keepdim=True)
        self._centres: list[Tensor] = []
        self._sums: list[Tensor] = []
        self._squares: list[Tensor] = []
        self._done: Tensor | None = None
        self.add(self._clean)

    def add(self, responses: Float[Tensor, "image unit"]) -> None:
        """Add one more magnitude.

        Args:
            responses: of the same images in the same order, at that magnitude; shape (image, unit).
        """
        responses, self._done = responses.to(self._clean.dtype), None
        images, units = self._clean.shape
        centre = responses[:IMAGES].mean(0)
        sums, squares = (zeros(len(self._weights), units, self._exact) for _ in range(2))
        for left in range(0, units, _WIDE):
            columns = slice(left, left + _WIDE)
            for top in range(0, images, _TALL):
                rows = slice(top, top + _TALL)
                here, weights = responses[rows, columns], self._weights[:, rows]
                # About the clean response of the same image: the identity then adds nothing, and digits are kept.
                change = here - self._clean[rows, columns]
                self._first[rows, columns] += change
                self._second[rows, columns].addcmul_(change, change)
                away = here - centre[columns]
                sums[:, columns] += (weights @ away).to(self._exact)
                squares[:, columns] += (weights @ away.square_()).to(self._exact)
        self._centres.append(centre.to(self._exact).double())
        self._sums.append(sums)
        self._squares.append(squares)

    def merge(self, other: "Variances") -> "Variances":
        """The same over the images of both; neither can take another magnitude afterwards.

        Args:
            other: the same units, magnitudes and rows, over other images.

        Returns:
            Variances as if all images had been in one.
        """
        both = object.__new__(Variances)
        both._exact, both._rows, both._count = self._exact, self._rows, self._count + other._count
        both._done = self._transformation() + other._transformation()
        both._centres, both._sums, both._squares = self._centres, [], []
        theirs = zip(other._centres, other._sums, other._squares, strict=True)
        for mine, (centre, total, squares) in zip(
            zip(self._centres, self._sums, self._squares, strict=True), theirs, strict=True
        ):
            gap = centre - mine[0]
            both._sums.append(mine[1] + total + other._count * gap)
            both._squares.append(mine[2] + squares + 2 * gap * total + other._count * gap**2)
        return both

    def finish(self) -> dict[str, Float[Tensor, "row unit"]]:
        """The three numbers over all magnitudes added so far.

        Returns:
            Per column, float64, shape (row, unit): the transformation variance is NaN with a single magnitude, the
            sample variance with fewer than two images.
        """
        folds = len(self._count) // self._rows
        return self._mixed(torch.eye(self._rows).repeat_interleave(folds, 1))

    def intervals(
        self, layers: Mapping[str, slice] | None = None, replicates: int = 200, seed: int = 0, level: float = 0.95
    ) -> dict[str, dict[str, tuple[Float[Tensor, " row"], Float[Tensor, " row"]]]]:
        """The bootstrap interval of each number's mean over each layer's units, resampling folds of images.

        Args:
            layers: which units belong to which layer; None takes all units for one layer called "all".
            replicates: resamplings.
            seed: of the resamplings.
            level: confidence, 0 to 1.

        Returns:
            Per layer and column, the low and the high end, each of shape (row,).
        """
        assert len(self._count) == N_FOLDS * self._rows, "no folds were given"
        layers = layers or {"all": slice(None)}
        times = bootstrap_weights(N_FOLDS, replicates, seed)
        found: dict[str, dict[str, tuple[Tensor, Tensor]]] = {}
        for layer, units in layers.items():
            means: dict[str, list[Tensor]] = {name: [] for name in self.columns}
            for row in range(self._rows):
                mix = torch.zeros(replicates, self._rows, N_FOLDS)
                mix[:, row] = times
                for name, values in self._mixed(mix.flatten(1), units).items():
                    means[name].append(values.nanmean(1))
            found[layer] = {name: percentile_interval(torch.stack(rows, 1), level) for name, rows in means.items()}
        return found

    def _mixed(self, mix: Tensor, units: slice = slice(None)) -> dict[str, Tensor]:
        mix = mix.to(self._exact, torch.float64)
        count = mix @ self._count
        spread, size = [], []
        for centre, sums, sums_of_squares in self._moments():
            total, squares = mix @ sums[:, units], mix @ sums_of_squares[:, units]
            value = ((squares - total**2 / count) / (count - 1)).clamp_min(0)
            spread.append(value.where(value > LOST * squares / count, 0.0).sqrt())
            middle = centre[units]
            size.append(((squares + 2 * middle * total) / count + middle**2).clamp_min(0).sqrt())
        sample, scale = torch.stack(spread).mean(0), torch.stack(size).amax(0)
        sample = sample.where(sample > ROUNDING * scale, 0.0).where(count > 1, float("nan"))
        transformation = ratio(mix @ self._transformation()[:, units], count.expand_as(sample))
        return {
            "transformation_variance": transformation,
            "sample_variance": sample,
            "normalized_variance": ratio(transformation, sample),
        }

    def _moments(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        return list(zip(self._centres, self._sums, self._squares, strict=True))

    def _transformation(self) -> Tensor:
        if self._done is None:
            images, units = self._clean.shape
            magnitudes = len(self._sums)
            total = zeros(len(self._weights), units, self._exact)
            for top in range(0, images, IMAGES):
                rows = slice(top, top + IMAGES)
                squares = self._second[rows] - self._first[rows].square() / magnitudes
                spread = squares.clamp_min_(0).div_(magnitudes - 1 or float("nan")).sqrt_()
                total += (self._weights[:, rows] @ spread).to(self._exact)
            self._done = total
        return self._done


def variances(sweep: Iterable[Float[Tensor, "image unit"]]) -> dict[str, Float[Tensor, " unit"]]:
    """Transformation, sample and normalized variance over all images.

    Args:
        sweep: responses at each magnitude, the identity among them; each of shape (image, unit).

    Returns:
        Per column, float64; shape (unit,).

    Example:
        >>> sweep = [torch.tensor([[0.0], [2.0]]), torch.tensor([[2.0], [4.0]])]
        >>> variances(sweep)["normalized_variance"].round(decimals=3)
        tensor([1.], dtype=torch.float64)
    """
    first, *others = sweep
    seen = Variances(first, torch.ones(1, len(first), device=first.device))
    for responses in others:
        seen.add(responses)
    return {name: values[0] for name, values in seen.finish().items()}
