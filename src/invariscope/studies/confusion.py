"""Are transformed images of classes never seen transformed taken for classes that were?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from invariscope.findings.figures import Figure, Heat, Lines
from invariscope.findings.finding import Finding
from invariscope.statistics.proportions import wilson
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.confusion_findings import find_all
from invariscope.studies.observed import Observed
from invariscope.studies.paradigm import ParadigmStudy
from invariscope.studies.scales import FACES, SMALL
from invariscope.studies.tidy import NAN, found

QUADRANTS = {
    ("unseen", "seen"): "I",
    ("seen", "seen"): "II",
    ("seen", "unseen"): "III",
    ("unseen", "unseen"): "IV",
}
"""The paper's numbers for what an image is and what it is called."""


@STUDIES.add("confusion")
@dataclass(frozen=True)
class Confusion(ParadigmStudy):
    """Is a transformed image of a class never seen transformed taken for a class that was?

    Classes fall into those that a network saw transformed in training and the others. Of the transformed test images
    of each kind, so many are called a class of either kind: the four quadrants. Beside them stand the same images
    clean, and what is expected by chance if every image were called any class but its own.

    Source: Jang et al., appendix D and figure 6.
    """

    source = "Jang et al., figure 6"
    limits = (
        "With many classes seen, chance alone calls most images of the others a seen class; where chance is above "
        "80 %, shares say nothing and no verdict rests on them.",
        "An image that is called a class of its own kind need not be called its own class: accuracies stand in the "
        "study across-category.",
        "With k close to 1 or to the number of classes one of the two kinds has few images, as the intervals show.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {"k": (1, 30), "seeds": (0,), "epochs": 2},
        "small": {"k": (1, 15, 30, 45, 54), "transformations": SMALL},
        "paper": FACES,
    }

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """The quadrants, of transformed and of clean images."""
        names = set(seen.network.seen or ())
        of_seen = torch.tensor([name in names for name in seen.sets.classes])
        rows = []
        for shown, strength in (("transformed", seen.strength), ("clean", None)):
            rows += quadrants(seen.predictions(strength), seen.labels, of_seen, shown)
        return {"results": [*rows, *by_chance(of_seen)]}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claim, with its numbers."""
        return find_all(results)

    def figures(self) -> list[Figure]:
        """The quadrants at one k, and their course over k."""
        inside = [k for k in sorted(self.k) if k] or [0]
        middle = inside[len(inside) // 2]
        kinds = {"seen": "seen classes", "unseen": "unseen classes"}
        shown = {"transformed": "transformed images", "clean": "clean images", "by chance": "by chance"}
        lines = {
            "unseen-called-seen": ("Images of unseen classes that are called a seen class", "unseen", "seen"),
            "seen-called-unseen": ("Images of seen classes that are called an unseen class", "seen", "unseen"),
        }
        return [
            Heat(
                counts="images",
                name="quadrants",
                title=f"What transformed images are called, with k = {middle}",
                caption="Rows: classes that were seen transformed in training, and classes that were not. Columns: "
                "what the network calls their transformed images.",
                where={"quantity": "called", "shown": "transformed", "k": middle},
                x="called",
                y="group",
                panel="transformation",
                labels=kinds,
                x_label="called one of the",
                y_label="images of",
                share=True,
                span=(0, 1),
            ),
            *(
                Lines(
                    counts="images",
                    name=name,
                    title=title,
                    caption="By chance: if every image were called any class but its own with equal chance.",
                    where={"quantity": "called", "group": group, "called": called, "shown": list(shown)},
                    x="k",
                    colour="shown",
                    panel="transformation",
                    labels=shown,
                    x_label="classes seen transformed in training",
                    y_label="share of images",
                    share=True,
                    span=(0, 1),
                )
                for name, (title, group, called) in lines.items()
            ),
        ]


def quadrants(
    said: Int[Tensor, " image"], labels: Int[Tensor, " image"], of_seen: Bool[Tensor, " class"], shown: str
) -> list[Row]:
    """How many images of seen and of unseen classes are called a seen or an unseen class.

    Args:
        said: the class that the network says for each image.
        labels: the images' own classes.
        of_seen: by class, whether it was seen transformed.
        shown: "transformed" or "clean".

    Returns:
        Rows "called" with `group` (of the image), `called` and `quadrant`, and "wrongly called" of the images that are
        not called their own class, alone; with Wilson's intervals; NaN without images.

    Example:
        >>> seen = torch.tensor([True, False])
        >>> rows = quadrants(torch.tensor([0, 0, 0]), torch.tensor([0, 1, 1]), seen, "transformed")
        >>> [(row["quadrant"], row["value"]) for row in rows if row["quantity"] == "called"]
        [('I', 1.0), ('II', 1.0), ('III', 0.0), ('IV', 0.0)]
    """
    rows = []
    for quantity, counted in (("called", torch.ones_like(said, dtype=torch.bool)), ("wrongly called", said != labels)):
        for (group, called), quadrant in QUADRANTS.items():
            own = counted & (of_seen[labels] == (group == "seen"))
            hit = own & (of_seen[said] == (called == "seen"))
            n, hits = int(own.sum()), int(hit.sum())
            low, high = wilson(hits, n)
            numbers = (hits / n if n else NAN, float(low), float(high), n)
            rows.append(found(quantity, *numbers, group=group, called=called, shown=shown, quadrant=quadrant))
    return rows


def by_chance(of_seen: Bool[Tensor, " class"]) -> list[Row]:
    """The same shares if every image were called any class but its own, each with the chance 1 / (N − 1).

    Args:
        of_seen: by class, whether it was seen transformed; there are N classes, two or more.

    Returns:
        Rows "called", shown "by chance"; NaN where there is no such class.

    Example:
        >>> rows = by_chance(torch.tensor([True, True, False, False, False]))
        >>> {row["quadrant"]: row["value"] for row in rows}
        {'I': 0.5, 'II': 0.25, 'III': 0.75, 'IV': 0.5}
    """
    total, counts = len(of_seen), {"seen": int(of_seen.sum()), "unseen": int((~of_seen).sum())}
    rows = []
    for (group, called), quadrant in QUADRANTS.items():
        others = counts[called] - (group == called)
        share = others / (total - 1) if counts[group] else NAN
        rows.append(found("called", share, group=group, called=called, shown="by chance", quadrant=quadrant))
    return rows
