"""Responses of a dozen awkward units, and every measure of them by plain loops."""

import math

import numpy as np
import torch

from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
from invariscope.statistics.derangement import derangement
from invariscope.statistics.extremes import Extremes
from invariscope.statistics.top_share import top_share_threshold

TAU, FIRING = 0.1, 0.1


def reference_of(pair, tau=TAU, firing=FIRING):
    both = Extremes.of(pair.clean).merge(Extremes.of(pair.transformed))
    return Reference(
        peak=both.high,
        clean_mean=pair.clean.mean(0),
        firing=top_share_threshold(pair.clean, firing),
        scale=Extremes.of(pair.clean).scale,
        tau=tau,
    )


def awkward_pair(images=90, units=12, seed=0):
    """Ordinary units, and from the fifth on: dead, constant, constant but for rounding, clean only, transformed only,
    tied, far from zero, rarely driven."""
    generator = torch.Generator().manual_seed(seed)
    clean = torch.randn(images, units, generator=generator).relu()
    moved = (clean + 0.5 * torch.randn(images, units, generator=generator)).relu()
    clean[:, 4] = moved[:, 4] = 0
    clean[:, 5] = moved[:, 5] = 0.3
    clean[:, 6] = 0.3 * (1 + 2**-23 * torch.randint(0, 3, (images,), generator=generator))
    moved[:, 6] = 0.3 * (1 + 2**-23 * torch.randint(0, 3, (images,), generator=generator))
    moved[:, 7] = 0
    clean[:, 8] = 0
    clean[:, 9] = torch.randint(0, 3, (images,), generator=generator).float()
    moved[:, 9] = torch.randint(0, 3, (images,), generator=generator).float()
    clean[:, 10] += 1e4
    moved[:, 10] += 1e4
    clean[:, 11] = 0
    clean[3, 11] = 5
    partner = derangement(images, seed)
    return Pair(clean, moved, moved[partner])


def groups(images, rows=3, seed=1):
    """All images, and random groups of them."""
    weights = (torch.rand(rows, images, generator=torch.Generator().manual_seed(seed)) > 0.4).float()
    weights[0] = 1
    return weights


def by_loops(pair, reference, member):
    """Every column for the images of one group, in float64, one image and unit at a time."""
    clean, moved, other = (one.double().numpy() for one in (pair.clean, pair.transformed, pair.other))
    rows = [row for row in range(len(clean)) if member[row] > 0]
    found = {}
    for unit in range(clean.shape[1]):
        peak, firing = reference.peak[unit].item(), reference.firing[unit].item()
        scale = reference.scale[unit].item()
        mine = _coefficient(clean[:, unit], moved[:, unit], rows, peak, reference.tau)
        null = _coefficient(clean[:, unit], other[:, unit], rows, peak, reference.tau)
        fires = [row for row in rows if clean[row, unit] > firing]
        both = [row for row in fires if moved[row, unit] > firing]
        after = [row for row in rows if moved[row, unit] > firing]
        columns = {
            "invariance": mine[0],
            "specialization": mine[1],
            "n_active": mine[2],
            "active_fraction": mine[2] / len(rows),
            "null": null[0],
            "goodfellow_global": len(fires) / len(rows),
            "goodfellow_local": len(both) / len(fires) if fires else math.nan,
            "goodfellow_local_unconditioned": len(after) / len(rows),
            "clean_variance": _variance(clean[rows, unit], scale),
            "correlation": _pearson(clean[rows, unit], moved[rows, unit], scale),
        }
        for name, value in columns.items():
            found.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in found.items()}


def _coefficient(clean, moved, rows, peak, tau):
    kept = [row for row in rows if peak > 0 and (clean[row] / peak > tau or moved[row] / peak > tau)]
    if not kept:
        return math.nan, math.nan, 0
    signed = [(moved[row] - clean[row]) / (moved[row] + clean[row]) for row in kept]
    return 1 - sum(map(abs, signed)) / len(kept), sum(signed) / len(kept), len(kept)


def _variance(values, scale):
    value = np.var(values, ddof=1)
    return value if math.sqrt(value) > 1e-6 * scale else 0.0


def _pearson(one, two, scale):
    size = max(scale, abs(two.mean()))
    if math.sqrt(np.var(one, ddof=1)) <= 1e-6 * scale or math.sqrt(np.var(two, ddof=1)) <= 1e-6 * size:
        return math.nan
    return np.corrcoef(one, two)[0, 1]
