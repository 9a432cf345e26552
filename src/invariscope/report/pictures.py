"""The example images of a run: which are shown together, and how they enter the page."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from invariscope.core.words import tidy
from invariscope.report.limits import Axis
from invariscope.report.read import RunData

ROLES = ("most-invariant", "least-invariant")
# Pixels. Larger images enter the page as JPEG, a tenth of their PNG; none is shown larger than the second number.
_SMALL, _LARGE = 64, 112


@dataclass(frozen=True)
class Shot:
    """One image at one strength, and what the network took it for."""

    file: Path
    magnitude: float
    predicted: str | None
    right: bool | None


@dataclass(frozen=True)
class Strip:
    """One image under a transformation at several magnitudes."""

    transformation: str
    image: int
    name: str | None
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Driving:
    """An image that drives a unit, clean and transformed, with both responses."""

    clean: Path
    transformed: Path
    name: str | None
    responses: tuple[float, float]


@dataclass(frozen=True)
class DrivenUnit:
    """A unit with the images that drive it."""

    unit: int
    invariance: float
    images: tuple[Driving, ...]


@dataclass(frozen=True)
class DrivenLayer:
    """The most and least invariant units of a layer under one strength."""

    transformation: str
    magnitude: float
    layer: str
    units: dict[str, tuple[DrivenUnit, ...]]


def embed(file: Path) -> str:
    """An image as a data address: a small one without loss, a photograph as JPEG.

    Args:
        file: a PNG file; one that was enlarged in whole steps is embedded at its own size.
    """
    with Image.open(file) as opened:
        picture = unenlarged(opened.convert("RGB"))
    if max(picture.size) > _SMALL:
        picture.thumbnail((_LARGE, _LARGE), Image.Resampling.BOX)
    content, kind = encoded(picture)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def encoded(picture: Image.Image) -> tuple[bytes, str]:
    """An image for the page, and the kind of its data: a small one without loss, a photograph as JPEG.

    Args:
        picture: RGB.
    """
    if max(picture.size) > _SMALL:
        return _encoded(picture, "JPEG", quality=80, optimize=True), "jpeg"
    if features.check("webp"):
        return _encoded(picture, "WEBP", lossless=True, quality=80, method=4), "webp"
    return _encoded(picture, "PNG", optimize=True), "png"


def unenlarged(picture: Image.Image) -> Image.Image:
    """An image whose pixels are blocks of equal ones, with one pixel for each block.

    Example:
        >>> unenlarged(Image.new("RGB", (2, 2)).resize((6, 6))).size[0] <= 2
        True
    """
    pixels = np.asarray(picture)
    for step in range(min(picture.size) // 4 + 2, 1, -1):
        if picture.width % step == 0 and picture.height % step == 0:
            small = pixels[::step, ::step]
            if np.array_equal(small.repeat(step, axis=0).repeat(step, axis=1), pixels):
                return Image.fromarray(small)
    return picture


def _encoded(picture: Image.Image, kind: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def strips(run: RunData, axis: Axis, most: int = 7, images: int = 2) -> list[Strip]:
    """The example images of one transformation, each at a handful of magnitudes with the identity among them.

    Args:
        run: the run.
        axis: of the transformation.
        most: magnitudes per image.
        images: at most so many.
    """
    found: dict[int, dict[float, dict[str, Any]]] = {}
    for entry in run.examples:
        if entry.get("kind") == "strength" and entry.get("transformation") == axis.name and _file(run, entry["file"]):
            found.setdefault(int(entry.get("image", 0)), {})[float(entry["magnitude"])] = entry
    result = []
    for image, by_magnitude in list(found.items())[:images]:
        chosen = spread(sorted(by_magnitude), axis.identity, most)
        shots = tuple(_shot(run, by_magnitude[magnitude]) for magnitude in chosen)
        result.append(Strip(axis.name, image, _name(by_magnitude[chosen[0]].get("class")), shots))
    return result


def spread(magnitudes: Sequence[float], identity: float, most: int) -> list[float]:
    """At most so many of the magnitudes, evenly in rank, with both ends and the identity.

    Example:
        >>> spread([-3, -2, -1, 0, 1, 2, 3], 0, 3)
        [-3, 0, 3]
    """
    places = range(len(magnitudes))
    if len(magnitudes) <= most:
        return list(magnitudes)
    chosen = {round(i * (len(magnitudes) - 1) / (most - 1)) for i in range(most)}
    if identity in magnitudes and magnitudes.index(identity) not in chosen:
        home = magnitudes.index(identity)
        inner = [place for place in chosen if place not in (0, len(magnitudes) - 1)]
        chosen.discard(min(inner or [0], key=lambda place: abs(place - home)))
        chosen.add(home)
    return [magnitudes[place] for place in places if place in chosen]


def driven_layers(run: RunData) -> list[DrivenLayer]:
    """The driving images of a run, grouped by transformation and layer."""
    groups: dict[tuple[str, float, str], dict[str, dict[int, list[dict[str, Any]]]]] = {}
    for entry in run.examples:
        if entry.get("kind") == "driving" and _file(run, entry["file"]) and _file(run, entry["file_transformed"]):
            key = (str(entry["transformation"]), float(entry["magnitude"]), tidy(entry["layer"]))
            roles = groups.setdefault(key, {role: {} for role in ROLES})
            roles.setdefault(str(entry["role"]), {}).setdefault(int(entry["unit"]), []).append(entry)
    return [
        DrivenLayer(*key, {role: tuple(_unit(run, unit, rows) for unit, rows in roles[role].items()) for role in ROLES})
        for key, roles in groups.items()
    ]


def _unit(run: RunData, unit: int, rows: list[dict[str, Any]]) -> DrivenUnit:
    rows = sorted(rows, key=lambda row: int(row.get("rank", 0)))
    images = tuple(
        Driving(
            _there(run, row["file"]),
            _there(run, row["file_transformed"]),
            _name(row.get("class")),
            (_number(row.get("clean_response")), _number(row.get("transformed_response"))),
        )
        for row in rows
    )
    return DrivenUnit(unit, _number(rows[0].get("invariance")), images)


def _shot(run: RunData, entry: dict[str, Any]) -> Shot:
    predicted, truth = _name(entry.get("predicted")), _name(entry.get("class"))
    expected = truth if truth is not None else _name(entry.get("clean_predicted"))
    right = None if predicted is None or expected is None else predicted == expected
    return Shot(_there(run, entry["file"]), float(entry["magnitude"]), predicted, right)


def _name(value: object) -> str | None:
    return None if value is None or value != value else tidy(value)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _there(run: RunData, name: str) -> Path:
    return run.path / "examples" / Path(name).name


def _file(run: RunData, name: str) -> bool:
    return _there(run, name).is_file()
