"""The measures as functions of arrays: (images, units) in, one number per unit out, numpy or torch."""

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariscope.core.errors import SettingError, ShapeError
from invariscope.measures.activity import ActiveFraction
from invariscope.measures.base import Measure
from invariscope.measures.correlation import Correlation
from invariscope.measures.dynamic_range import CleanVariance
from invariscope.measures.evaluate import evaluate
from invariscope.measures.goodfellow import Goodfellow
from invariscope.measures.invariance import Invariance
from invariscope.measures.negative import without_negative
from invariscope.measures.specialization import Specialization
from invariscope.measures.variances import variances
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
from invariscope.statistics.extremes import Extremes
from invariscope.statistics.top_share import top_share_threshold

Array = TypeVar("Array", NDArray[Any], Tensor)


def invariance_coefficient(clean: Array, transformed: Array, tau: float = 0.1, negative: str | None = None) -> Array:
    """How little each unit's response changes, over the images that drive it: 1 is not at all.

    Over images with f(x) > τ·peak or f(T(x)) > τ·peak, the mean of 1 − |f(T(x)) − f(x)| / (f(T(x)) + f(x)), where the
    peak is the unit's largest response to any image, clean or transformed.

    Args:
        clean: responses to images; shape (images, units).
        transformed: responses to the same images transformed; shape (images, units).
        tau: response that counts as active, as a fraction of the peak; 0 to 1, 1 excluded.
        negative: "rectify", "abs" or "shift" makes negative responses fit; without it, units that have some are NaN.

    Returns:
        From 0 to 1; shape (units,); NaN where no image drives the unit.

    Raises:
        ShapeError: the arrays are not both (images, units).
        SettingError: tau or `negative` has no such value.

    Example:
        >>> invariance_coefficient(np.array([[0.4, 0.0]]), np.array([[0.8, 0.0]])).round(3)
        array([0.667,   nan])

    Source: Jang et al., section 2.2, equation 1.
    """
    return _measure(Invariance(), "invariance", clean, transformed, tau=tau, negative=negative)


def specialization(clean: Array, transformed: Array, tau: float = 0.1, negative: str | None = None) -> Array:
    """Which version of an image each unit prefers: 1 transformed only, −1 clean only, 0 neither.

    The mean of (f(T(x)) − f(x)) / (f(T(x)) + f(x)) over the images of the invariance coefficient.

    Args:
        clean: responses to images; shape (images, units).
        transformed: responses to the same images transformed; shape (images, units).
        tau: response that counts as active, as a fraction of the peak; 0 to 1, 1 excluded.
        negative: "rectify", "abs" or "shift" makes negative responses fit; without it, units that have some are NaN.

    Returns:
        From −1 to 1; shape (units,); NaN where no image drives the unit.

    Raises:
        ShapeError: the arrays are not both (images, units).
        SettingError: tau or `negative` has no such value.

    Example:
        >>> specialization(torch.tensor([[0.0]]), torch.tensor([[0.8]]))
        tensor([1.])

    Source: Jang et al., appendix D.
    """
    return _measure(Specialization(), "specialization", clean, transformed, tau=tau, negative=negative)


def active_fraction(clean: Array, transformed: Array, tau: float = 0.1, negative: str | None = None) -> Array:
    """The share of images that drive each unit, clean or transformed.

    Args:
        clean: responses to images; shape (images, units).
        transformed: responses to the same images transformed; shape (images, units).
        tau: response that counts as active, as a fraction of the peak; 0 to 1, 1 excluded.
        negative: "rectify", "abs" or "shift" makes negative responses fit; without it, units that have some are NaN.

    Returns:
        From 0 to 1; shape (units,).

    Raises:
        ShapeError: the arrays are not both (images, units).
        SettingError: tau or `negative` has no such value.

    Example:
        >>> active_fraction(np.array([[1.0], [0.0]]), np.array([[1.0], [0.05]]))
        array([0.5])

    Source: Jang et al., section 2.2.
    """
    return _measure(ActiveFraction(), "active_fraction", clean, transformed, tau=tau, negative=negative)


def dynamic_range(clean: Array) -> Array:
    """The variance of each unit's responses, with n − 1.

    Args:
        clean: responses to images; shape (images, units).

    Returns:
        Shape (units,); 0 for a constant; NaN with fewer than two images.

    Raises:
        ShapeError: the array is not (images, units).

    Example:
        >>> dynamic_range(np.array([[1.0], [3.0]]))
        array([2.])

    Source: Pospisil & Bair, section II.
    """
    return _measure(CleanVariance(), "clean_variance", clean, clean)


def correlation(clean: Array, transformed: Array) -> Array:
    """Pearson's correlation of each unit's clean and transformed responses.

    Args:
        clean: responses to images; shape (images, units).
        transformed: responses to the same images transformed; shape (images, units).

    Returns:
        From −1 to 1; shape (units,); NaN where either is constant, rounding noise included.

    Raises:
        ShapeError: the arrays are not both (images, units).

    Example:
        >>> correlation(np.array([[0.0], [1.0], [2.0]]), np.array([[5.0], [3.0], [1.0]]))
        array([-1.])

    Source: Pospisil & Bair, section II.
    """
    return _measure(Correlation(), "correlation", clean, transformed)


def goodfellow(clean: Array, transformed: Array, firing: float = 0.01) -> dict[str, Array]:
    """How often each unit fires, with the threshold that the top share of its clean responses exceeds.

    Args:
        clean: responses to images; shape (images, units).
        transformed: responses to the same images transformed; shape (images, units).
        firing: share of the clean images on which a unit fires, at most; 0 to 1, both excluded.

    Returns:
        "global": P(f(x) fires); "local": P(f(T(x)) fires | f(x) fires), NaN where nothing fires;
        "local_unconditioned": P(f(T(x)) fires); each of shape (units,). The invariance score of 2009 is local / global.

    Raises:
        ShapeError: the arrays are not both (images, units).
        SettingError: `firing` is not a share.

    Example:
        >>> clean = np.arange(4.0)[:, None]
        >>> goodfellow(clean, clean[::-1], firing=0.5)["local"]
        array([0.])

    Source: Goodfellow et al., Measuring invariances in deep networks (2009), section 3.
    """
    if not 0 < firing < 1:
        raise SettingError(f"firing takes a share between 0 and 1; got {firing}.")
    names = ("global", "local", "local_unconditioned")
    return {name: _measure(Goodfellow(), f"goodfellow_{name}", clean, transformed, firing=firing) for name in names}


def normalized_variance(responses: Array) -> dict[str, Array]:
    """How much each unit varies over magnitudes, over images, and the ratio of both: 0 is invariant.

    Args:
        responses: at every magnitude, the identity among them; shape (magnitudes, images, units).

    Returns:
        "transformation_variance": mean over images of the standard deviation over magnitudes; "sample_variance": mean
        over magnitudes of the standard deviation over images; "normalized_variance": the former over the latter, NaN
        where the latter is 0; each of shape (units,), with n − 1.

    Raises:
        ShapeError: the array is not (magnitudes, images, units).

    Example:
        >>> responses = np.array([[[0.0], [2.0]], [[2.0], [4.0]]])
        >>> normalized_variance(responses)["normalized_variance"]
        array([1.])

    Source: Quiroga et al., Measuring (in)variances in convolutional networks (2019).
    """
    sweep = _tensor(responses)
    if sweep.ndim != 3 or 0 in sweep.shape[:2]:
        raise ShapeError(f"responses must be (magnitudes, images, units); got an array of shape {tuple(sweep.shape)}.")
    return {name: _like(values, responses) for name, values in variances(sweep).items()}


def _measure(
    measure: Measure,
    column: str,
    clean: Array,
    transformed: Array,
    *,
    tau: float = 0.1,
    firing: float = 0.01,
    negative: str | None = None,
) -> Array:
    if not 0 <= tau < 1:
        raise SettingError(f"tau takes a fraction of the peak, from 0 up to but not including 1; got {tau}.")
    before, after = _tensor(clean), _tensor(transformed)
    if before.ndim != 2 or before.shape != after.shape or len(before) == 0:
        raise ShapeError(
            "clean and transformed must both be (images, units) with at least one image; "
            f"got shapes {tuple(before.shape)} and {tuple(after.shape)}."
        )
    both = Extremes.of(before).merge(Extremes.of(after))
    if negative is not None:
        before, after = (without_negative(one, negative, both.low) for one in (before, after))
        both = Extremes.of(before).merge(Extremes.of(after))
    reference = Reference(
        peak=both.high,
        clean_mean=before.mean(0),
        firing=top_share_threshold(before, firing),
        scale=Extremes.of(before).scale,
        tau=tau,
    )
    weights = before.new_ones(1, len(before))
    columns = evaluate(Pair(before, after), reference, weights, [measure], negative=both.low < 0)
    return _like(columns[column][0], clean)


def _tensor(array: NDArray[Any] | Tensor) -> Tensor:
    tensor = array if isinstance(array, Tensor) else torch.from_numpy(np.array(array))
    if tensor.dtype in (torch.float32, torch.float64):
        return tensor.detach()
    return tensor.detach().float() if tensor.is_floating_point() else tensor.double()


def _like(values: Tensor, array: Array) -> Array:
    if isinstance(array, Tensor):
        kind = array.dtype if array.is_floating_point() else torch.get_default_dtype()
        return values.to(array.device, kind)
    kind = array.dtype if np.issubdtype(array.dtype, np.floating) else np.float64
    return values.cpu().numpy().astype(kind)
