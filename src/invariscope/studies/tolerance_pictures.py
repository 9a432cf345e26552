"""What images look like at the thresholds, and what the network takes them for there."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from invariscope.core.files import whole
from invariscope.core.words import amount, percent
from invariscope.responses.recorder import Strength
from invariscope.studies.given import Given
from invariscope.studies.tolerance_sweeps import LEVELS, Swept
from invariscope.transformations.base import Transformation

FOLDER = "pictures"
CLEAN = "as it is"
_LARGEST = 160


def place_name(sign: str, level: float) -> str:
    """The heading of a column of pictures.

    Example:
        >>> place_name("-", 0.9)
        'below, 90 %'
    """
    return f"{'above' if sign == '+' else 'below'}, {level * 100:.0f} %"


PLACES = (
    *(place_name("-", level) for level in sorted(LEVELS)),
    CLEAN,
    *(place_name("+", level) for level in sorted(LEVELS, reverse=True)),
)


def picture_rows(
    given: Given, swept: Swept, transformation: Transformation, without: Sequence[str] = ()
) -> pd.DataFrame:
    """One image at the magnitudes where all images together fall below a share of the clean accuracy.

    The image is the first that the network is right about when clean, of a class that turns and mirrors change.

    Args:
        given: the network beside its test images; without a folder there are no pictures.
        swept: its answers.
        transformation: the family.
        without: classes whose images show too little.

    Returns:
        Columns `transformation, place, magnitude, file, note`.
    """
    if given.folder is None:
        return pd.DataFrame()
    names = np.array([*swept.sweep.groups.names, ""])[swept.sweep.groups.of_image]
    plain = swept.quality[swept.sweep.clean] * ~np.isin(names, list(without))
    right = np.flatnonzero(plain if plain.any() else swept.quality[swept.sweep.clean])
    index = torch.tensor([int(right[0]) if len(right) else 0])
    identity, rows = swept.sweep.identity, []
    at = {CLEAN: identity}
    for sign in swept.sides:
        for level in LEVELS:
            fall = float(swept.fall(sign, level, swept.mean))
            if np.isfinite(fall):
                at[place_name(sign, level)] = identity + (fall if sign == "+" else -fall)
    for place, magnitude in at.items():
        with torch.inference_mode():
            image = given.images.batch(index, given.network.device)
            shown = Strength(transformation, magnitude, given.seed)(image, index)
            softmax = given.network(shown).float().softmax(dim=1)[0]
        said, sure = given.classes[int(softmax.argmax())].partition(",")[0], float(softmax.max())
        name = f"{given.label}-{given.seed}-{transformation.name}-{list(at).index(place)}"
        file = f"{FOLDER}/{''.join(letter if letter.isalnum() else '-' for letter in name)}.png"
        write_picture(shown[0], given.folder / file)
        note = f"{amount(magnitude, swept.sweep.unit_of_measure, 2)}\n{said} {percent(sure)}"
        rows.append(
            {"transformation": transformation.name, "place": place, "magnitude": magnitude, "file": file, "note": note}
        )
    return pd.DataFrame(rows)


def write_picture(image: Tensor, file: Path) -> None:
    """Write an image as PNG, at most 160 pixels a side.

    Args:
        image: in [0, 1]; shape (channel, height, width) with one or three channels.
        file: where it goes; its folder is made.
    """
    pixels = (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels[:3].transpose(1, 2, 0))
    picture.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole(file) as draft:
        picture.save(draft, "PNG")
