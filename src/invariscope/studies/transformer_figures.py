"""What the study transformer-net draws."""

from typing import Any

from invariscope.findings.figures import Bars, Figure, Lines, Scatter
from invariscope.studies.transformer_versions import RECOMMENDED

_CHANGES = ["change, mean over k", "change, worst k"]


def figures_of(seed: int) -> list[Figure]:
    """The figures, the answer first.

    Args:
        seed: whose random changes are drawn.
    """
    return [
        Bars(
            name="kept",
            title="What the learned transformations cost",
            caption="Held-out accuracy under the learned family at scale 1, less the clean accuracy: in the mean over "
            "a grid of k, and at its worst k.",
            where={"quantity": _CHANGES},
            x="version",
            colour="quantity",
            panel="network",
            labels={"change, mean over k": "Mean over k", "change, worst k": "Worst k"},
            x_label="how it was learned",
            y_label="change of accuracy",
            share=True,
            reference=0.0,
            counts="images",
        ),
        *_course(),
        *_parts(),
        Bars(
            name="equal",
            title="The gate and weighted sums at equal size",
            caption="Accuracy in the mean over k when the family of each version is scaled to the size of the "
            "recommended one.",
            where={"quantity": "accuracy at equal size"},
            x="version",
            panel="network",
            x_label="how it was learned",
            y_label="accuracy",
            share=True,
            counts="images",
        ),
        Scatter(
            name="region",
            title="Random changes as long as the learned ones",
            caption="A dot is a random change of one head: how far it is from the nearest learned one, as a share of "
            "its length, and how much accuracy it costs. What costs at most 5 points and lies within 0.1 was found.",
            table="region",
            where={"seed": seed},
            x="distance",
            y="loss",
            colour="network",
            panel="head",
            labels={"colour": "In colour", "spatial": "In space"},
            x_label="distance to the learned family",
            y_label="accuracy lost",
            share=True,
        ),
    ]


def _course() -> list[Figure]:
    """Figure 4a."""
    about: dict[str, Any] = {"table": "course", "x": "step", "colour": "network", "x_label": "step", "band": True}
    about |= {"caption": "Moving average over steps, means over seeds; the ribbon is their 95 % interval."}
    return [
        Lines(
            name="course-network",
            title="The network's loss while the family is learned",
            where={"version": RECOMMENDED, "quantity": "network"},
            y_label="cross-entropy",
            **about,
        ),
        Lines(
            name="course-transformers",
            title="The transformers' loss",
            where={"version": RECOMMENDED, "quantity": "transformers"},
            y_label="loss",
            **about,
        ),
    ]


def _parts() -> list[Figure]:
    """What was learned along k₁ = k₂."""
    shown = (
        ("sizes", "How large the image becomes", "spatial", {"scale-x": "Width", "scale-y": "Height"}, "times"),
        ("turns", "How it turns and leans", "spatial", {"rotation": "Rotation", "shear": "Shear"}, "degrees"),
        ("colours", "How far colours change", "colour", {"distance": "‖C − I‖", "mixing": "Mixing"}, "Frobenius norm"),
    )
    return [
        Lines(
            name=name,
            title=title,
            caption="Along k₁ = k₂ = k, at scale 1.",
            table="parts",
            where={"version": RECOMMENDED, "head": head, "parameter": list(labels)},
            x="k",
            colour="network",
            panel="parameter",
            labels=labels,
            x_label="k₁ = k₂",
            y_label=unit,
        )
        for name, title, head, labels, unit in shown
    ]
