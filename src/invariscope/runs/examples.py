"""Example images of a run: what each strength looks like, and what drives the most and least invariant units."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from invariscope.responses.recorder import Recorder, Strength

_SIZE = 112


def save_picture(image: Float[Tensor, "channel height width"], file: Path) -> None:
    """Write one [0, 1] image as PNG, small ones enlarged in whole steps, large ones reduced.

    Args:
        image: shape (channel, height, width), one or three channels.
        file: where it goes.
    """
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels[..., :3])
    longest = max(picture.size)
    if longest > _SIZE:
        picture.thumbnail((_SIZE, _SIZE), Image.Resampling.BOX)
    elif longest * 2 <= _SIZE:
        step = _SIZE // longest
        picture = picture.resize((picture.width * step, picture.height * step), Image.Resampling.NEAREST)
    picture.save(file)


@dataclass(frozen=True)
class Illustrator:
    """Draws the pictures of one transformation's part of the report.

    Args:
        recorder: gives images by their row in processing order.
        names: of the output's classes, for captions.
        rows: which rows serve as examples of the strengths.
    """

    recorder: Recorder
    names: Sequence[str]
    rows: Sequence[int]

    def _image(self, row: int, strength: Strength | None) -> Tensor:
        indices = self.recorder.order[row : row + 1]
        image = self.recorder.images.batch(indices, self.recorder.device)
        return (image if strength is None else strength(image, indices))[0]

    def _name(self, label: int | None) -> str | None:
        return None if label is None else self.names[label] if label < len(self.names) else str(label)

    def strengths(
        self, folder: Path, strengths: Sequence[Strength], predicted: np.ndarray, labels: Tensor | None
    ) -> list[dict[str, Any]]:
        """Pictures of the example images at each magnitude.

        Args:
            folder: where they go.
            strengths: of one transformation, identity included.
            predicted: class per strength and row, -1 where the network has none; shape (strength, image).
            labels: true class per row, or None.
        """
        index = []
        for row in self.rows:
            for place, strength in enumerate(strengths):
                name = strength.transformation.name
                file = f"{name}-{place:02d}-{row}.png"
                save_picture(self._image(row, strength), folder / file)
                index.append(
                    {
                        "kind": "strength",
                        "file": file,
                        "transformation": name,
                        "magnitude": strength.magnitude,
                        "image": int(self.recorder.order[row]),
                        "class": None if labels is None else self._name(int(labels[row])),
                        "predicted": self._name(_known(int(predicted[place, row]))),
                        "clean_predicted": self._name(_known(int(predicted[_clean(strengths), row]))),
                    }
                )
        return index

    def driving(
        self,
        folder: Path,
        strength: Strength,
        layer: str,
        units: pd.DataFrame,
        responses: tuple[Tensor, Tensor],
        labels: Tensor | None,
        most: int = 3,
        images: int = 3,
    ) -> list[dict[str, Any]]:
        """Pictures of the images that drive a layer's most and least invariant units, clean and transformed.

        Args:
            folder: where they go.
            strength: at which invariance was measured.
            layer: the site's name.
            units: this strength's rows of the units table for that layer, all images.
            responses: clean and transformed responses of the layer; shape (image, unit) each.
            labels: true class per row, or None.
            most: how many units of either kind.
            images: how many images per unit.
        """
        ranked = units.dropna(subset=["invariance"]).sort_values(["invariance", "unit"], ascending=[False, True])
        chosen = {"most-invariant": ranked.head(most), "least-invariant": ranked.iloc[::-1].head(most)}
        index = []
        for role, rows in chosen.items():
            for _, unit in rows.iterrows():
                number = int(unit["unit"])
                clean, transformed = (block[:, number] for block in responses)
                top = torch.topk(clean, min(images, len(clean))).indices.tolist()
                for rank, row in enumerate(top):
                    stem = f"{strength.transformation.name}-unit{number}-{rank}"
                    files = f"{stem}.png", f"{stem}-transformed.png"
                    save_picture(self._image(row, None), folder / files[0])
                    save_picture(self._image(row, strength), folder / files[1])
                    index.append(
                        {
                            "kind": "driving",
                            "file": files[0],
                            "file_transformed": files[1],
                            "layer": layer,
                            "unit": number,
                            "role": role,
                            "rank": rank,
                            "transformation": strength.transformation.name,
                            "magnitude": strength.magnitude,
                            "image": int(self.recorder.order[row]),
                            "clean_response": float(clean[row]),
                            "transformed_response": float(transformed[row]),
                            "invariance": float(unit["invariance"]),
                            "class": None if labels is None else self._name(int(labels[row])),
                        }
                    )
        return index


def _known(label: int) -> int | None:
    return label if label >= 0 else None


def _clean(strengths: Sequence[Strength]) -> int:
    return next(i for i, strength in enumerate(strengths) if strength.magnitude == strength.transformation.identity)
