"""Pictures of images that a network recognises, and of the transformation that fools it."""

from collections.abc import Sequence

import pandas as pd
import torch

from invariscope.core.files import whole
from invariscope.core.words import amount, spoken
from invariscope.runs.examples import save_picture
from invariscope.studies.base import Row
from invariscope.studies.given import Given
from invariscope.transformations.joint import Joint


def draw_examples(given: Given, worst: pd.DataFrame, axes: Sequence[str], count: int) -> list[Row]:
    """Draw images of different classes as they are and at their worst.

    Args:
        given: the network beside its images; its folder takes the pictures.
        worst: of `worst_case`.
        axes: the transformations, in order.
        count: how many images.

    Returns:
        Rows `place, image, shown ("clean", "worst"), file (relative to the study's directory), note`.
    """
    assert given.folder is not None
    fooled = worst[worst["clean_correct"] & worst["fooled"]]
    first = fooled[~fooled["class"].duplicated()]
    chosen = pd.concat([first, fooled.drop(first.index)]).head(count)
    joint = Joint(list(axes)).with_fill(given.network.recipe.fill)
    label = "".join(sign if sign.isalnum() else "-" for sign in given.label.lower())
    folder = f"examples/{label}-seed{given.seed}"
    rows: list[Row] = []
    with whole(given.folder / folder) as draft:
        draft.mkdir(parents=True)
        for place, (_, row) in enumerate(chosen.iterrows(), start=1):
            image = given.images.batch([int(row["image"])])
            point = torch.tensor([[float(row[axis]) for axis in axes]], dtype=torch.float64)
            moved = [
                f"{spoken(step.name)} {amount(float(row[step.name]), step.unit_of_measure, 2)}" for step in joint.steps
            ]
            pictures = {
                "clean": (image, str(row["class"])),
                "worst": (joint(image, point), f"{row['predicted']}: {', '.join(moved)}"),
            }
            for shown, (picture, note) in pictures.items():
                file = f"{int(row['image'])}-{shown}.png"
                save_picture(picture[0], draft / file)
                rows.append(
                    {
                        "place": place,
                        "image": int(row["image"]),
                        "shown": shown,
                        "file": f"{folder}/{file}",
                        "note": note,
                    }
                )
    return rows
