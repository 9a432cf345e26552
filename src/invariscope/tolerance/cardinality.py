"""How many images activate a unit, and how many units an image activates."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from invariscope.tolerance.activity import activity_thresholds


@dataclass(frozen=True, eq=False)
class Cardinalities:
    """Both shares, at one τ.

    Attributes:
        of_images: share of the images that activate each unit, clean or transformed: #A_k / #X; shape (unit,).
        of_units: share of the units that each image activates, clean or transformed; shape (image,).
        clean_units: share of the units that the clean image activates, by itself; shape (image,).
        transformed_units: the same for the transformed image; shape (image,).
        alive: units that some image drives at all; shape (unit,).
    """

    of_images: Float[ndarray, " unit"]
    of_units: Float[ndarray, " image"]
    clean_units: Float[ndarray, " image"]
    transformed_units: Float[ndarray, " image"]
    alive: Bool[ndarray, " unit"]

    def summary(self) -> pd.DataFrame:
        """Mean, quartiles and range of each share; dead units are left out of the first.

        Returns:
            One row per share, named as the attributes: share, n, mean, low (minimum), q25, median, q75, high
            (maximum); NaN where n is 0.
        """
        shares = {
            "of_images": self.of_images[self.alive],
            "of_units": self.of_units,
            "clean_units": self.clean_units,
            "transformed_units": self.transformed_units,
        }
        return pd.DataFrame([{"share": name, **_describe(values)} for name, values in shares.items()])

    def distribution(self, bins: int = 20) -> pd.DataFrame:
        """Histograms of the share of images per living unit and of the share of units per image.

        Args:
            bins: of equal width from 0 to 1.

        Returns:
            One row per share and bin: share ("of_images" or "of_units"), from, to, count, part (of the count).
        """
        rows = []
        for name, values in (("of_images", self.of_images[self.alive]), ("of_units", self.of_units)):
            count, edges = np.histogram(values, bins=bins, range=(0, 1))
            part = count / len(values) if len(values) else np.full(bins, np.nan)
            rows.append(
                pd.DataFrame({"share": name, "from": edges[:-1], "to": edges[1:], "count": count, "part": part})
            )
        return pd.concat(rows, ignore_index=True)


def cardinalities(
    clean: Float[Tensor, "image unit"],
    transformed: Float[Tensor, "image unit"],
    tau: float,
    peak: Float[Tensor, " unit"] | None = None,
) -> Cardinalities:
    """Count active pairs of image and unit, by unit and by image.

    An image activates a unit if f(x) > τ·peak or f(T(x)) > τ·peak.

    Args:
        clean: responses, 0 or more; shape (image, unit).
        transformed: to the same images, transformed; shape (image, unit).
        tau: fraction of the peak; 0 to 1, 1 excluded.
        peak: each unit's largest response; None: of these responses. Shape (unit,).

    Returns:
        Shares from 0 to 1; NaN where there is nothing to count.

    Raises:
        SettingError: tau is out of range.

    Example:
        >>> found = cardinalities(torch.tensor([[1.0, 0.0], [0.05, 0.0]]), torch.tensor([[0.0, 2.0], [0.0, 0.1]]), 0.1)
        >>> found.of_images.tolist(), found.of_units.tolist(), found.clean_units.tolist()
        ([0.5, 0.5], [1.0, 0.0], [0.5, 0.0])

    Source: Jang et al., section 3.2, figure 3a.
    """
    if peak is None:
        peak = torch.maximum(clean.amax(0), transformed.amax(0))
    threshold = activity_thresholds(peak, [tau])[0].to(clean.device)
    before, after = (clean > threshold).cpu().numpy(), (transformed > threshold).cpu().numpy()
    either = before | after
    with np.errstate(invalid="ignore", divide="ignore"):
        n_images, n_units = (np.float64(count) for count in clean.shape)
        return Cardinalities(
            of_images=either.sum(axis=0) / n_images,
            of_units=either.sum(axis=1) / n_units,
            clean_units=before.sum(axis=1) / n_units,
            transformed_units=after.sum(axis=1) / n_units,
            alive=(peak > 0).cpu().numpy(),
        )


def _describe(values: Float[ndarray, " value"]) -> dict[str, float]:
    if not len(values):
        return {"n": 0, **dict.fromkeys(("mean", "low", "q25", "median", "q75", "high"), float("nan"))}
    low, q25, median, q75, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    mean = float(values.mean())
    return {"n": len(values), "mean": mean, "low": low, "q25": q25, "median": median, "q75": q75, "high": high}
