"""What to draw of a learned family."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from invariscope.core.words import listed, number
from invariscope.findings.figures import Figure, Gallery, Heat, Lines
from invariscope.learned.controls import ALL, CORNERS
from invariscope.learned.learn import Learned
from invariscope.studies.learn_answer import Answer
from invariscope.studies.learn_pictures import APART, HEAD_WORDS, TOGETHER
from invariscope.studies.learn_tables import ACCURACY, NETWORK

_OWN = ("from blue", "itself", "from green", "offset", "from red")
_HEADS = {**{name: words.capitalize() for name, words in HEAD_WORDS.items()}, ALL: "All heads, same k"}
_SPACE = (
    ("angles", "Rotation and shear", ("rotation", "shear"), "degrees"),
    ("sizes", "Width and height", ("scale-x", "scale-y"), "times"),
    ("shifts", "Translation", ("translation-x", "translation-y"), "pixels"),
)
_NAMES = {
    "rotation": "Rotation, anticlockwise",
    "shear": "Shear",
    "scale-x": "Width",
    "scale-y": "Height",
    "translation-x": "To the right",
    "translation-y": "Down",
}


def figures_of(learned: Learned, answer: Answer, tables: Mapping[str, pd.DataFrame]) -> list[Figure]:
    """The figures, pictures first.

    Args:
        learned: the family.
        answer: at which scale it is told.
        tables: those that are drawn.
    """
    heads = learned.module.heads
    return [
        _gallery(answer),
        _certificate(learned, tables["scales"]),
        *([_apart(answer)] if (tables["examples"]["figure"] == APART).any() else []),
        _kept(answer),
        *(_space(answer) if "spatial" in heads else []),
        *([_colour(answer, tables["parameters"])] if "colour" in heads else []),
        *_course(learned),
    ]


def _gallery(answer: Answer) -> Gallery:
    return Gallery(
        name="pictures",
        title="What the family does to images",
        caption=f"Held-out images under k from (0, 0), where nothing changes, to (1, 1), {_scale(answer)}; below each "
        "what the network says, and whether that is right.",
        table="examples",
        where={"figure": TOGETHER},
        x="k",
        y="shown",
        note="note",
        x_label="k₁ = k₂, of all heads",
    )


def _apart(answer: Answer) -> Gallery:
    beyond = (
        " The last row goes beyond what is certified, to where learning left the family." if answer.shown < 1 else ""
    )
    return Gallery(
        name="heads",
        title="Head by head",
        caption=f"The first of the images under each head alone, {_scale(answer)}.{beyond}",
        table="examples",
        where={"figure": APART},
        x="k",
        y="shown",
        note="note",
        x_label="k₁ = k₂",
    )


def _certificate(learned: Learned, scales: pd.DataFrame) -> Lines:
    share = learned.settings.target_accuracy_share
    lowest = min(float(scales["low"].min()), share) if scales["low"].notna().any() else 0.0
    return Lines(
        name="certificate",
        title="How large the family may be",
        caption="What is kept, as a share of the clean value, when the whole family is made smaller by the factor s: "
        "in the mean over k, and at the worst k. Bars are Wilson's intervals over images. One half of the held-out "
        "images proposes a scale, with one k for all heads; the other half confirms the largest that holds, also with "
        "heads alone and at different corners.",
        table="scales",
        x="scale",
        y="kept",
        colour="over",
        x_label="scale s",
        counts="images",
        y_label="kept, of the clean value",
        share=True,
        reference=share,
        span=(max(math.floor(lowest * 10) / 10 - 0.05, 0.0), 1.05),
    )


def _kept(answer: Answer) -> Heat:
    # At these values of k a head alone is one row of the table of all.
    return Heat(
        name="kept",
        title="Predictions that stay",
        caption="Held-out images whose prediction is the one of the clean image, over the grid of k, "
        f"{_scale(answer)}.",
        table="kept",
        where={"scale": answer.shown, "class": "all"},
        x="k1",
        y="k2",
        value="kept",
        panel="head",
        labels={name: words for name, words in _HEADS.items() if name != CORNERS},
        x_label="k₁",
        y_label="k₂",
        share=True,
        span=(0.0, 1.0),
        counts="images",
    )


def _space(answer: Answer) -> list[Figure]:
    return [
        Lines(
            name=name,
            title=title,
            caption=f"What the spatial head does to the image as k grows, {_scale(answer)}: with k₁ alone, k₂ alone, "
            "and both.",
            table="parameters",
            where={"head": "spatial", "parameter": list(parameters)},
            x="k",
            y="value",
            colour="way",
            panel="parameter",
            labels=_NAMES,
            x_label="k",
            y_label=unit,
            band=True,
        )
        for name, title, parameters, unit in _SPACE
    ]


def _colour(answer: Answer, parameters: pd.DataFrame) -> Lines:
    colour = parameters[parameters["head"] == "colour"]
    into = listed([name.removeprefix("into ") for name in dict.fromkeys(colour["into"])])
    others = [name for name in dict.fromkeys(colour["parameter"]) if name not in _OWN]
    return Lines(
        name="colours",
        title="What becomes of the colours",
        caption=f"How much more of each channel goes into {into} as k₁ = k₂ = k grows, and what offset is "
        f"added, {_scale(answer)}: all are 0 where colours stay as they are.",
        table="parameters",
        # In this order each channel is drawn in its own colour.
        where={"head": "colour", "way": "both", "parameter": [*_OWN, *others]},
        x="k",
        y="value",
        colour="parameter",
        panel="into",
        x_label="k",
        y_label="change",
        band=True,
    )


def _course(learned: Learned) -> list[Figure]:
    shared: dict[str, Any] = {"table": "course", "x": "step", "x_label": "step", "band": True}
    about = (
        f"The line is the moving average (each step keeps {number(learned.settings.ema)}), the ribbon holds eight of "
        "ten batches around."
    )
    gate = float(learned.history["gate"].iloc[-1])
    heads = list(learned.module.heads)
    return [
        Lines(
            name="course-network",
            title="The network's loss while the family is learned",
            caption=f"Of the batches under the transformations. {about}",
            where={"quantity": NETWORK},
            y_label="loss",
            **shared,
        ),
        Lines(
            name="course-accuracy",
            title="What is kept while the family is learned",
            caption=f"Share of each batch. {about} Above the gate a step makes the transformations larger, below it a "
            "step lowers the network's loss.",
            where={"quantity": ACCURACY},
            y_label="kept",
            share=True,
            reference=gate,
            **shared,
        ),
        Lines(
            name="course-transformers",
            title="The transformations while they are learned",
            caption="The loss of each head, minus the mean squared length of its change weighted by k₁ + k₂: the "
            f"lower, the larger the transformation. {about}",
            where={"quantity": heads},
            panel="quantity",
            labels=_HEADS,
            y_label="loss",
            **shared,
        ),
    ]


def _scale(answer: Answer) -> str:
    return f"at the certified scale {number(answer.scale)}" if answer.found else "at scale 1, which is not certified"
