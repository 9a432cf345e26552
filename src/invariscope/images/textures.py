"""Two-colour patterns: what objects are filled with, and part of what lies behind them."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Weights = npt.NDArray[np.float64]

PATTERNS = ("stripes", "checks", "dots", "waves", "rings", "fade", "marble", "grain")


def pattern(kind: str, size: int, period: float, angle: float, draw: np.random.Generator) -> Weights:
    """How much of the second colour there is at each pixel.

    Args:
        kind: one of PATTERNS.
        size: side, pixels.
        period: of the pattern, pixels.
        angle: of the pattern, degrees.
        draw: where the phase and the noise come from.

    Returns:
        Shape (size, size), 0 to 1.

    Example:
        >>> weights = pattern("stripes", 32, 8.0, 0.0, np.random.Generator(np.random.PCG64(0)))
        >>> weights.shape, float(weights.min()), float(weights.max())
        ((32, 32), 0.0, 1.0)
    """
    y, x = np.mgrid[:size, :size] - size / 2
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    u, v = (cos * x + sin * y) / period + draw.random(), (cos * y - sin * x) / period + draw.random()
    if kind == "stripes":
        return _steep(np.sin(2 * np.pi * u))
    if kind == "checks":
        return _steep(np.sin(np.pi * u) * np.sin(np.pi * v))
    if kind == "dots":
        return _steep(np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v) - 0.7)
    if kind == "waves":
        return _steep(np.sin(2 * np.pi * (u + 0.3 * np.sin(2 * np.pi * v / 2))))
    if kind == "rings":
        return _steep(np.sin(2 * np.pi * np.hypot(u, v)))
    if kind == "fade":
        return np.asarray(np.clip(0.5 + (cos * x + sin * y) / size, 0, 1))
    clouds = sum(_noise(size, size / period * 2**octave, draw) / 2**octave for octave in range(3))
    return _steep(np.sin(2 * np.pi * (u + clouds))) if kind == "marble" else _steep(clouds)


def _steep(wave: Weights) -> Weights:
    """Bands with soft edges, so that a pattern that is sampled finely does not flicker."""
    return np.asarray(np.clip(0.5 + 2 * wave, 0, 1))


def _noise(size: int, cells: float, draw: np.random.Generator) -> Weights:
    """Smooth noise of mean 0 with about that many bumps along a side."""
    side = int(np.clip(cells, 2, size))
    coarse = Image.fromarray(draw.normal(size=(side, side)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64)
