"""What transformations are called where one stands at several magnitudes, and which family they are of."""

from collections.abc import Sequence

import pandas as pd

from invariscope.core.words import FAMILIES, number

_FAMILY = {
    "colour": ("hue", "grayscale", "saturation", "color-jitter"),
    "noise": FAMILIES["Noise"],
    "geometric": FAMILIES["Geometry"],
}


def labels_of(transformations: Sequence[tuple[str, float]]) -> list[str]:
    """A label for each transformation: its name, and its magnitude where the name occurs at several.

    Args:
        transformations: names and magnitudes.

    Example:
        >>> labels_of([("inversion", 1.0), ("rotation", 90.0), ("rotation", 180.0)])
        ['inversion', 'rotation 90', 'rotation 180']
    """
    names = [name for name, _ in dict.fromkeys((name, number(size)) for name, size in transformations)]
    return [name if names.count(name) == 1 else f"{name} {number(size)}" for name, size in transformations]


def told_apart(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows, whose `transformation` says the magnitude where one name stands at several.

    Args:
        rows: with `transformation` and `magnitude`.

    Example:
        >>> rows = pd.DataFrame({"transformation": ["rotation", "rotation"], "magnitude": [90.0, 180.0]})
        >>> told_apart(rows)["transformation"].tolist()
        ['rotation 90', 'rotation 180']
    """
    pairs = list(zip(rows["transformation"], rows["magnitude"], strict=True))
    return rows.assign(transformation=labels_of(pairs)) if pairs else rows


def family_of(label: str) -> str:
    """One of the paper's four families: colour, convolutional (with inversion, as there), noise, geometric.

    Args:
        label: a name, or one of `labels_of`.

    Example:
        >>> [family_of(label) for label in ("hue", "inversion", "salt-and-pepper", "rotation 180")]
        ['colour', 'convolutional', 'noise', 'geometric']

    Source: Jang et al., section 3.
    """
    name = label.partition(" ")[0]
    return next((family for family, names in _FAMILY.items() if name in names), "convolutional")
