"""What speaks for a verdict: how many active units are invariant, specialized, or neither, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from invariscope.core.errors import SettingError
from invariscope.tolerance.resample import interval

KINDS = ("invariant", "specialized")


@dataclass(frozen=True)
class Limits:
    """Where the verdict draws its lines.

    Args:
        invariant: a unit is invariant if its coefficient is above this, and above its null; 0 to 1. At 2/3 the mean
            relative change between the clean and the transformed response is a factor of two.
        specialized: a unit is specialized if its specialization is further from 0 than this; 0 to 1. At 1/2 one of
            the responses is three times the other.
        tolerated: a strength is tolerated if accuracy keeps at least this share of its clean value; 0 to 1.
        majority: a kind of which more than this share of the active units are carries the tolerance; 0 to 1.
        cost: a kind carries it too if ablating it surely costs this much more accuracy than as many random active
            units; 0 to 1.

    Raises:
        SettingError: a limit is not between 0 and 1.
    """

    invariant: float = 2 / 3
    specialized: float = 1 / 2
    tolerated: float = 0.9
    majority: float = 1 / 2
    cost: float = 0.01

    def __post_init__(self) -> None:
        for name in ("invariant", "specialized", "tolerated", "majority", "cost"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingError(f"the verdict's limit {name!r} is a share from 0 to 1; got {value:g}.")


@dataclass(frozen=True, eq=False)
class UnitColumns:
    """What was measured of the units of one site, for one strength and one group of images.

    Args:
        invariance: NaN for a unit that is never active; shape (unit,).
        null: the coefficient of mismatched pairs; shape (unit,).
        specialization: positive = prefers transformed; shape (unit,).
        n_active: how many images drive the unit; shape (unit,).
        invariance_replicates: the coefficients in bootstrap replicates over images; None: only units are resampled.
        specialization_replicates: likewise.
    """

    invariance: Float[ndarray, " unit"]
    null: Float[ndarray, " unit"]
    specialization: Float[ndarray, " unit"]
    n_active: Float[ndarray, " unit"]
    invariance_replicates: Float[ndarray, "replicate unit"] | None = None
    specialization_replicates: Float[ndarray, "replicate unit"] | None = None

    @property
    def active(self) -> Bool[ndarray, " unit"]:
        """The units that some image drives and whose coefficients are known."""
        known = ~np.isnan(self.invariance) & ~np.isnan(self.null) & ~np.isnan(self.specialization)
        active: ndarray = (self.n_active > 0) & known
        return active

    def kinds(self, limits: Limits) -> dict[str, Bool[ndarray, " unit"]]:
        """Which active units are of which kind.

        Args:
            limits: where the lines are.

        Returns:
            Masks over all units, by kind: "invariant", "specialized".
        """
        masks = _kinds(self.invariance, self.null, self.specialization, limits)
        return {kind: mask & self.active for kind, mask in masks.items()}


@dataclass(frozen=True)
class Shares:
    """The shares of a site's active units that are of each kind; NaN where no unit is active.

    Attributes:
        n_active: how many units are active.
        invariant: share of them.
        specialized: share of them.
        neither: share of them.
        low: of the 95 % interval of the invariant share.
        high: of the 95 % interval of the invariant share.
    """

    n_active: int
    invariant: float
    specialized: float
    neither: float
    low: float
    high: float


@dataclass(frozen=True)
class AblationCost:
    """What silencing one kind of unit costs in accuracy; NaN where there is no unit of the kind.

    Attributes:
        n_units: how many units are of the kind.
        cost: accuracy without ablation minus accuracy with the kind silenced; -1 to 1.
        control: the same for as many random active units, mean over the repeats.
        difference: cost − control.
        low: of the 95 % interval of the difference, from a paired bootstrap over images.
        high: of that interval.
        accuracy: without ablation.
        is_all: the kind is all active units, so that the control silences the same ones and the difference is 0.
    """

    n_units: int
    cost: float
    control: float
    difference: float
    low: float
    high: float
    accuracy: float
    is_all: bool


def shares(units: UnitColumns, limits: Limits | None = None) -> Shares:
    """Count the kinds among the active units.

    The interval is that of a bootstrap over images where the units come with replicates. Otherwise it is the
    bootstrap over units, whose distribution is known: binomial.

    Args:
        units: the columns of one site, strength and group.
        limits: where the lines are.

    Returns:
        The shares, which sum to 1 unless a unit is of both kinds (impossible with the default limits).

    Example:
        >>> columns = UnitColumns(*np.array([[0.9, 0.2, 0.5], [0.3] * 3, [0.0, 0.8, 0.1], [5.0, 5.0, 5.0]]))
        >>> found = shares(columns)
        >>> round(found.invariant, 3), round(found.specialized, 3), round(found.neither, 3)
        (0.333, 0.333, 0.333)

    Source: Jang et al., section 2.2, equation 1 (invariance), and appendix D (specialization).
    """
    limits = limits or Limits()
    active = units.active
    n_active = int(active.sum())
    if n_active == 0:
        return Shares(0, *[float("nan")] * 5)
    kinds = units.kinds(limits)
    invariant, specialized = (float(kinds[kind].sum() / n_active) for kind in KINDS)
    neither = float((active & ~kinds["invariant"] & ~kinds["specialized"]).sum() / n_active)
    low, high = _interval(units, limits, n_active, invariant)
    return Shares(n_active, invariant, specialized, neither, low, high)


def _interval(units: UnitColumns, limits: Limits, n_active: int, share: float) -> tuple[float, float]:
    if units.invariance_replicates is None or units.specialization_replicates is None:
        # Loading scipy.stats takes a second that most runs, which come with replicates, need not spend.
        from scipy.stats import binom

        low, high = (float(binom.ppf(tail, n_active, share)) / n_active for tail in (0.025, 0.975))
        return low, high
    # A unit that no drawn image drives is not active in that replicate.
    known = ~np.isnan(units.invariance_replicates) & units.active
    masks = _kinds(units.invariance_replicates, units.null, units.specialization_replicates, limits)
    count = known.sum(axis=1)
    drawn = np.where(count > 0, (masks["invariant"] & known).sum(axis=1) / np.maximum(count, 1), np.nan)
    ends = interval(drawn[None, :, None])
    return ends[0].item(), ends[1].item()


def _kinds(invariance: ndarray, null: ndarray, specialization: ndarray, limits: Limits) -> Mapping[str, ndarray]:
    return {
        "invariant": (invariance > limits.invariant) & (invariance > null),
        "specialized": np.abs(specialization) > limits.specialized,
    }
