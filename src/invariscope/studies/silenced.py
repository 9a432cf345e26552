"""What the studies that silence units share: the site that is silenced, and which images count."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from invariscope.responses.pair import Pair
from invariscope.responses.recorder import Strength
from invariscope.studies.observed import Observed
from invariscope.studies.tidy import Row
from invariscope.tolerance.passes import Shown
from invariscope.tolerance.silencing import Reading

IMAGES = ("clean", "within", "across")


def shown_at_site(seen: Observed) -> Shown:
    """The network as its test images run through it, seen from the site that a study looks at."""
    return Shown(seen.network, seen.sets.test, seen.site, Reading(seen.site.layout))


def counted(seen: Observed) -> dict[str, tuple[Strength | None, Bool[ndarray, " image"]]]:
    """How images are shown, and which of them count, for each of `IMAGES`.

    Args:
        seen: the network.

    Returns:
        "clean": every test image as it is; "within" and "across": transformed images of the classes that were seen
        transformed in training, and of the others. The masks have shape (image,).
    """
    known = seen.network.seen or ()
    member = torch.tensor([name in known for name in seen.sets.classes])[seen.labels].numpy()
    everything = np.ones(len(member), dtype=bool)
    return {"clean": (None, everything), "within": (seen.strength, member), "across": (seen.strength, ~member)}


def strengths(seen: Observed) -> Iterator[tuple[Strength | None, list[str]]]:
    """Each way to show the images once, with the `IMAGES` that it serves."""
    yield None, ["clean"]
    yield seen.strength, ["within", "across"]


def peak_of(pair: Pair) -> Float[Tensor, " unit"]:
    """Each unit's largest response to any test image, clean or transformed."""
    return torch.maximum(pair.clean.amax(0), pair.transformed.amax(0))


def conditions_of(seen: Observed) -> Row:
    """A network's row as training left it: conditions and accuracies, without the time it took."""
    return {name: value for name, value in seen.row.items() if name != "seconds"} | {"layer": seen.site.name}


def unit_means(found: Mapping[str, Float[Tensor, "row unit"]], seen: Observed) -> Row:
    """The mean over units of every column, for the groups all, seen and unseen; NaN where no unit is known.

    Args:
        found: of `evaluate`, with a row per group of the network.
        seen: the network.

    Returns:
        `COLUMN_GROUP`: a number.
    """
    row: Row = {}
    for column, values in found.items():
        for group in ("all", "seen", "unseen"):
            place = seen.groups.names.index(group) if group in seen.groups.names else None
            row[f"{column}_{group}"] = float("nan") if place is None else values[place].nanmean().item()
    return row
