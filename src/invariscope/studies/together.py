"""Intervals of several members of one claim that hold all at once."""

import math
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from invariscope.studies.compare import Estimate

K = TypeVar("K")


def together(found: Mapping[K, Estimate], *, over_seeds: bool) -> dict[K, Estimate]:
    """The same numbers with 95 % intervals for all of them at once, after Bonferroni.

    A claim of all members is judged member by member; with as many as eighteen, more than one in three such claims
    would fail by chance alone. Each arm of an interval grows by q(1 − 0.025/k) / q(0.975), where q is Student's
    quantile for seeds and the normal one for images, and k the number of members that are known.

    Args:
        found: each member's number with its own 95 % interval.
        over_seeds: intervals are over seeds; else over images or classes.

    Example:
        >>> wide = together({"a": Estimate(0.0, -1.0, 1.0, n=3), "b": Estimate(2.0, 1.0, 2.5, n=3)}, over_seeds=False)
        >>> round(wide["a"].high, 3), round(wide["b"].low, 3), round(wide["b"].high, 3)
        (1.144, 0.856, 2.572)
    """
    from scipy.stats import norm, t

    members = sum(not math.isnan(each.low) for each in found.values())
    if members < 2:
        return dict(found)
    wider = {}
    for name, each in found.items():
        ends = np.array([1 - 0.025 / members, 0.975])
        far, near = t.ppf(ends, each.n - 1) if over_seeds and each.n > 1 else norm.ppf(ends)
        ratio = float(far / near)
        low, high = each.value - ratio * (each.value - each.low), each.value + ratio * (each.high - each.value)
        wider[name] = Estimate(each.value, low, high, each.n)
    return wider
