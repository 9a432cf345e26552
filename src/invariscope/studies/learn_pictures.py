"""Pictures of a learned family: the same images under k from 0 to 1, head by head."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.files import whole
from invariscope.core.words import number
from invariscope.images.labels import Matching, match_labels
from invariscope.images.prepared import Prepared
from invariscope.learned.learn import Learned
from invariscope.networks.network import Network
from invariscope.runs.examples import save_picture
from invariscope.studies.learn_answer import Answer

HEAD_WORDS = {
    "colour": "in colour",
    "spatial": "in space",
    "convolution": "by convolution",
    "displacement": "by displacement",
}
TOGETHER, APART = "together", "head by head"
_FINE, _COARSE, _IMAGES = 9, 5, 4


def write_examples(folder: Path, learned: Learned, answer: Answer, network: Network, images: Prepared) -> pd.DataFrame:
    """Draw a few held-out images under all heads, and the first of them under each, for k from (0, 0) to (1, 1).

    Args:
        folder: where the pictures go; its parent is the run directory.
        learned: the family.
        answer: says at which scale.
        network: whose prediction stands below each picture.
        images: the set that the held-out images stand in.

    Returns:
        Columns figure ("together" or "head by head"), image (its place in the set), name, k, scale, heads, shown (the
        row), file (as seen from the run directory), predicted, right, note.

    Source: Bunne et al., figure 5.
    """
    places = _chosen(images, learned.held_out[1])
    rows: list[dict[str, Any]] = []
    with whole(folder) as draft, torch.no_grad():
        draft.mkdir()
        names = [_name(images, place) for place in places]
        for place, name in zip(places, names, strict=True):
            one = images.batch([place], network.device)
            told = name if names.count(name) == 1 else f"{name} ({place})"
            for figure, shown, heads, scale in _variants(learned, answer, told, place == places[0]):
                ks = torch.linspace(0, 1, _FINE if figure == TOGETHER else _COARSE).tolist()
                batch = torch.cat([_under(learned, one, heads, k, scale) for k in ks])
                answers = _answers(network, images, batch, place)
                for order, (k, picture) in enumerate(zip(ks, batch, strict=True)):
                    file = f"{place}-{'-'.join(heads)}-scale{number(scale)}-{len(ks)}-{order}.png"
                    save_picture(picture, draft / file)
                    about = {"figure": figure, "image": place, "name": told, "k": k, "scale": scale}
                    about |= {"heads": ",".join(heads), "shown": shown, "file": f"{folder.name}/{file}"}
                    rows.append(about | answers[order])
    return pd.DataFrame(rows)


def _variants(
    learned: Learned, answer: Answer, name: str, first: bool
) -> list[tuple[str, str, tuple[str, ...], float]]:
    """What stands in the rows of an image: figure, name of the row, heads, scale."""
    heads = learned.module.heads
    found: list[tuple[str, str, tuple[str, ...], float]] = [(TOGETHER, name, heads, answer.shown)]
    if first and len(heads) > 1:
        found += [(APART, HEAD_WORDS[head], (head,), answer.shown) for head in heads]
    if first and answer.shown < 1:
        found.append((APART, "all, at scale 1", heads, 1.0))
    return found


def _under(learned: Learned, image: Tensor, heads: Sequence[str], k: float, scale: float) -> Tensor:
    pair = torch.tensor([k, k], device=image.device)
    moved: Float[Tensor, "image channel height width"] = learned.module(image, dict.fromkeys(heads, pair), scale=scale)
    return moved


def _chosen(images: Prepared, held: Tensor) -> list[int]:
    """The first held-out images, of different classes as far as there are some."""
    seen: dict[Any, int] = {}
    rest = []
    for place in held.tolist():
        key = place if images.labels is None else int(images.labels[place])
        if key in seen:
            rest.append(place)
        else:
            seen[key] = place
    return sorted([*seen.values(), *rest][:_IMAGES])


def _name(images: Prepared, place: int) -> str:
    if images.labels is None or images.classes is None:
        return f"image {images.names[place]}"[-24:] if len(images.names) else f"image {place}"
    return images.classes[int(images.labels[place])]


def _answers(network: Network, images: Prepared, batch: Tensor, place: int) -> list[dict[str, Any]]:
    """What the network says of each picture, and whether that is right, or what it said of the first."""
    outputs = network(batch)
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        return [{"predicted": None, "right": None, "note": ""}] * len(batch)
    matching: Matching = match_labels(images, network, outputs.shape[1])
    predicted = outputs.argmax(1).tolist()
    wanted = predicted[0] if matching.labels is None else int(matching.labels[place])
    return [
        {
            "predicted": matching.names[one],
            "right": one == wanted,
            "note": f"{'✓' if one == wanted else '✕'} {matching.names[one]}",
        }
        for one in predicted
    ]
