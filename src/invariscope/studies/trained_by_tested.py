"""Is a network robust to the transformation that it was trained with, and to no other?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from invariscope.findings.figures import Bars, Figure, Heat
from invariscope.findings.finding import Finding
from invariscope.responses.recorder import Strength
from invariscope.studies.all_or_none import AllOrNoneStudy, changes_images
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.first_layer import first_filters, spectral_centroid
from invariscope.studies.naming import labels_of
from invariscope.studies.observed import Observed
from invariscope.studies.tidy import found
from invariscope.studies.trained_findings import CLEAN, NOTHING, find_all
from invariscope.training.evaluate import Accuracy


@STUDIES.add("trained-by-tested")
@dataclass(frozen=True)
class TrainedByTested(AllOrNoneStudy):
    """Is a network robust to the transformation that it was trained with, and to no other?

    One network per transformation sees every class transformed half of the times, one per seed sees clean images only;
    each is tested on clean images and under every transformation. Beside the accuracies stands how fine the filters of
    the first layer are, because the paper explains robustness to noise by coarse ones.

    Source: Jang et al., figure 2a and appendix A.
    """

    source = "Jang et al., figure 2a, appendix A"
    limits = (
        "A transformation counts at one magnitude only: a network may be robust to less of it, or not to more.",
        "What the paper says of colours needs colour images: on grey ones hue and grayscale change nothing and are "
        "left out. Where colours tell nothing of the classes, as in the glyphs, networks may stand their change for "
        "that reason alone.",
        "The magnitudes at the small scale are those that a small network can learn; the paper's are as strong as to "
        "bring a network that saw clean images only below 10 %.",
        "Filters of 3 by 3 pixels tell few frequencies apart; the paper speaks of larger ones.",
    )

    def observe(self, seen: Observed) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Accuracy on clean images and under every transformation, and the filters of the first layer."""
        own, strengths = self.trained_with(seen), self.strengths(seen)
        conditions: dict[str, Any] = {"trained": own or NOTHING}
        if own is None:
            conditions |= {"transformation": NOTHING, "magnitude": float("nan")}
        idle = [label for label, strength in strengths.items() if not changes_images(seen, strength)]
        rows = [
            found("images changed", 0.0, n=len(seen.labels), tested=label, **conditions)
            for label in idle
            if own in (None, label)
        ]
        if own in idle:
            return {"results": rows}
        shown: dict[str, Strength | None] = {CLEAN: None, **strengths}
        for tested, strength in shown.items():
            if tested not in idle:
                right = seen.predictions(strength) == seen.labels
                accuracy = Accuracy(int(right.sum()), len(right))
                numbers = (accuracy.value, *accuracy.interval, accuracy.n)
                rows.append(found("accuracy", *numbers, tested=tested, **conditions))
        filters = first_filters(seen.network)
        if filters is not None:
            centroids = spectral_centroid(filters)
            mean, n = centroids.nanmean().item(), int((~centroids.isnan()).sum())
            rows.append(
                found("spectral centroid", mean, n=n, unit_of_measure="cycles per pixel", tested=CLEAN, **conditions)
            )
        return {"results": rows}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results, max(self.k))

    def figures(self) -> list[Figure]:
        """The matrix, and the filters."""
        labels = {label: label.replace("-", " ").capitalize() for label in labels_of(self.transformations)}
        labels |= {NOTHING: "Clean images", CLEAN: "Clean"}
        return [
            Heat(
                counts="images",
                name="matrix",
                title="Trained with, tested under",
                caption="Accuracy on test images of all classes: a row per network, which saw every class transformed "
                "half of the times; a column per transformation of the test images.",
                where={"quantity": "accuracy"},
                x="tested",
                y="trained",
                labels=labels,
                x_label="tested under",
                y_label="trained with",
                share=True,
                span=(0, 1),
            ),
            Bars(
                name="filters",
                title="How fine the filters of the first layer are",
                caption="Mean spatial frequency of the filters of the first convolution, weighted by power.",
                where={"quantity": "spectral centroid"},
                x="trained",
                labels=labels,
                x_label="trained with",
                y_label="cycles per pixel",
            ),
        ]
