"""Matrices of learned transformations as rotations, magnifications, shifts and colour changes, and back."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

RGB = ("red", "green", "blue")


def decompose_spatial(matrix: Float[ndarray, "2 3"], height: int, width: int) -> dict[str, float]:
    """A sampling matrix as translation, then rotation, then stretch of the image.

    The matrix says where a pixel of the result is read, (x', y') = M (x, y) + t with −1 and 1 the image's edges; the
    image itself moves the other way. In pixels, M = R(θ)·P with R a rotation and P symmetric (polar decomposition).
    Reported is what happens to the image, in the magnitudes of our own transformations: rotation = θ (anticlockwise),
    scale-x = 1/P₁₁ and scale-y = 1/P₂₂ (magnification: a matrix with 2 on its diagonal zooms OUT, scale ½), shear =
    atan P₁₂ (how far the axes lean towards each other), translation = −t/2 of the width or height. So `rotation` alone
    is what `rotation` of that magnitude does, and likewise scale-x, scale-y, translation-x and translation-y.

    Args:
        matrix: two rows, in halves of the image.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Returns:
        rotation, scale-x, scale-y, shear, translation-x, translation-y; an infinite scale where the matrix
        reads a single line.

    Example:
        >>> found = decompose_spatial(np.array([[2.0, 0, 0.5], [0, 2.0, 0]]), 32, 32)
        >>> found["scale-x"], found["translation-x"]
        (0.5, -0.25)
    """
    aspect = height / width
    (a, b, c), (d, e, f) = np.asarray(matrix, np.float64).tolist()
    b, d = b / aspect, d * aspect
    # Both components vanish only where no rotation is nearest.
    angle = math.atan2(d - b, a + e)
    cosine, sine = math.cos(angle), math.sin(angle)
    stretch_x, lean, stretch_y = cosine * a + sine * d, cosine * b + sine * e, cosine * e - sine * b
    return {
        "rotation": math.degrees(angle),
        "scale-x": 1 / stretch_x if stretch_x else math.inf,
        "scale-y": 1 / stretch_y if stretch_y else math.inf,
        "shear": math.degrees(math.atan(lean)),
        "translation-x": -c / 2,
        "translation-y": -f / 2,
    }


def compose_spatial(parts: Mapping[str, float], height: int, width: int) -> Float[ndarray, "2 3"]:
    """The sampling matrix of these parts: the inverse of `decompose_spatial`.

    Example:
        >>> turned = {"rotation": 90, "scale-x": 1, "scale-y": 1, "shear": 0, "translation-x": 0, "translation-y": 0}
        >>> compose_spatial(turned, 32, 32).round(6)
        array([[ 0., -1.,  0.],
               [ 1.,  0.,  0.]])
    """
    angle, lean = math.radians(parts["rotation"]), math.tan(math.radians(parts["shear"]))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    stretch = np.array([[1 / parts["scale-x"], lean], [lean, 1 / parts["scale-y"]]])
    linear, aspect = turn @ stretch, height / width
    linear = linear * np.array([[1, aspect], [1 / aspect, 1]])
    shift = np.array([[-2 * parts["translation-x"]], [-2 * parts["translation-y"]]])
    return np.hstack([linear, shift + 0.0])


def channel_names(channels: int) -> tuple[str, ...]:
    """What the channels of an image are called.

    Example:
        >>> channel_names(3), channel_names(1), channel_names(2)
        (('red', 'green', 'blue'), ('grey',), ('channel 1', 'channel 2'))
    """
    if channels == 1:
        return ("grey",)
    return RGB if channels == 3 else tuple(f"channel {place + 1}" for place in range(channels))


def decompose_colour(matrix: Float[ndarray, "channel channel+1"]) -> dict[str, float]:
    """A colour matrix as gains, mixtures between channels, and offsets.

    Args:
        matrix: C; the last column is the offset of each channel, in [0, 1] units.

    Returns:
        gain (mean of the diagonal), `gain of red` …, `red from green` … (off the diagonal), mixing (their root mean
        square length, ‖off-diagonal‖_F), saturation (how much farther from grey colours come to lie than grey from
        black: 1 keeps it, 0 is grey; NaN but for three channels), `offset of red` …, distance (‖C − I‖_F).

    Example:
        >>> found = decompose_colour(np.array([[0.5, 0.0, 0.0, 0.1], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.5, 0.0]]))
        >>> found["gain"], found["gain of blue"], found["offset of red"], round(found["distance"], 3)
        (1.0, 1.5, 0.1, 0.714)
    """
    matrix = np.asarray(matrix, np.float64)
    count = len(matrix)
    names, linear = channel_names(count), matrix[:, :count]
    parts = {"gain": float(np.trace(linear) / count)}
    if count > 1:
        parts |= {f"gain of {name}": float(linear[place, place]) for place, name in enumerate(names)}
        parts |= {
            f"{into} from {source}": float(linear[row, column])
            for row, into in enumerate(names)
            for column, source in enumerate(names)
            if row != column
        }
        parts["mixing"] = float(np.linalg.norm(linear - np.diag(np.diag(linear))))
    if count == 3:
        grey = linear.sum() / 3
        parts["saturation"] = float((np.trace(linear) - grey) / 2 / grey) if grey else math.nan
    offsets = ["offset"] if count == 1 else [f"offset of {name}" for name in names]
    parts |= dict(zip(offsets, matrix[:, count].tolist(), strict=True))
    parts["distance"] = float(np.linalg.norm(matrix - np.eye(count, count + 1)))
    return parts


def compose_colour(parts: Mapping[str, float], channels: int) -> Float[ndarray, "channel channel+1"]:
    """The colour matrix of these parts: the inverse of `decompose_colour`.

    Example:
        >>> compose_colour({"gain": 0.5, "offset": 0.25}, 1)
        array([[0.5 , 0.25]])
    """
    if channels == 1:
        return np.array([[parts["gain"], parts["offset"]]])
    names = channel_names(channels)
    return np.array(
        [
            [parts[f"gain of {into}"] if into == source else parts[f"{into} from {source}"] for source in names]
            + [parts[f"offset of {into}"]]
            for into in names
        ]
    )


def decompose_kernel(kernel: Float[ndarray, "tap tap"]) -> dict[str, float]:
    """A convolution's kernel as blur or sharpening, shift, and response to frequencies.

    Args:
        kernel: K, of an odd size; correlated with the image.

    Returns:
        sum; shift-x, shift-y (of the image, pixels); variance (mean of the second moments along x and y about the
        shift, square pixels, negative for sharpening); blur (σ of the Gaussian with that variance, pixels, NaN if it
        sharpens): what coarse detail undergoes. Response at ¼ and ½ cycles per pixel (mean over the two axes of |K̂|):
        what fine detail undergoes, sharpened above 1. Distance (‖K − δ‖).

    Example:
        >>> blur = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25])
        >>> found = decompose_kernel(blur)
        >>> round(found["blur"], 3), found["response at 1/2"]
        (0.707, 0.0)
    """
    kernel = np.asarray(kernel, np.float64)
    reach = len(kernel) // 2
    places = np.arange(-reach, reach + 1)
    total = kernel.sum()
    profiles = (kernel.sum(0), kernel.sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [float(profile @ places / total) for profile in profiles]
        spreads = [float(profile @ (places - mean) ** 2 / total) for profile, mean in zip(profiles, means, strict=True)]
    variance = float(np.mean(spreads))
    delta = np.zeros_like(kernel)
    delta[reach, reach] = 1
    responses = {
        name: float(np.mean([abs(profile @ np.exp(-2j * np.pi * cycles * places)) for profile in profiles]))
        for name, cycles in (("response at 1/4", 0.25), ("response at 1/2", 0.5))
    }
    # A correlation reads at +place what it shows at 0: the image moves the other way.
    return {
        "sum": float(total),
        "shift-x": 0.0 - means[0],
        "shift-y": 0.0 - means[1],
        "variance": variance,
        "blur": math.sqrt(variance) if variance >= 0 else math.nan,
        **responses,
        "distance": float(np.linalg.norm(kernel - delta)),
    }


def decompose_field(shifts: Float[ndarray, "height width 2"]) -> dict[str, float]:
    """A field of displacements as what an affine map explains of it and what not.

    Args:
        shifts: how far from itself each pixel is read, (x, y) in pixels.

    Returns:
        displacement (mean length, pixels), largest (pixels), affine share (of the sum of squares, explained by the best
        affine map; NaN for a field of zeros), remainder (mean length of what it leaves, pixels).

    Example:
        >>> found = decompose_field(np.ones((4, 4, 2)) * [3.0, 4.0])
        >>> found["displacement"], round(found["affine share"], 6), round(found["remainder"], 6)
        (5.0, 1.0, 0.0)
    """
    height, width, _ = shifts.shape
    rows, columns = np.mgrid[:height, :width]
    design = np.stack([np.ones(height * width), columns.ravel(), rows.ravel()], 1)
    flat = np.asarray(shifts, np.float64).reshape(-1, 2)
    rest = flat - design @ np.linalg.lstsq(design, flat, rcond=None)[0]
    total = float((flat**2).sum())
    lengths = np.linalg.norm(flat, axis=1)
    return {
        "displacement": float(lengths.mean()),
        "largest": float(lengths.max()),
        "affine share": 1 - float((rest**2).sum()) / total if total else math.nan,
        "remainder": float(np.linalg.norm(rest, axis=1).mean()),
    }
