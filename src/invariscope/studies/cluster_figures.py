"""What the study invariance-clusters draws."""

from collections.abc import Sequence

from invariscope.findings.figures import Bars, Figure, Heat, Lines, Scatter
from invariscope.studies.cluster_layers import NO_CLUSTERS

HOW = {"all": "any of them", "own": "each class its own", "none": "x only"}
_SILHOUETTES = {
    "silhouette": "units",
    "silhouette of shuffled columns": "shuffled columns",
    "silhouette of one cloud": "one cloud",
}
_STABILITY = {"stability over halves of the images": "halves of the images"}
_STABILITY["stability over draws of units"] = "draws of units"


def draw_all(k: int, assignments: Sequence[str], seed: int) -> list[Figure]:
    """All figures.

    Args:
        k: how many classes the networks see transformed whose clusters are shown.
        assignments: how they see them.
        seed: of the network whose units are shown.
    """
    most, layers = {"k": [k]}, "rectifying layers in order"
    evidence: list[Figure] = [
        Bars(
            name="silhouettes",
            title="Are there clusters?",
            caption=f"Silhouette of the best cut with {k} classes seen transformed, and of points without clusters cut "
            "into as many: shuffled columns, and one cloud as spread out and as correlated.",
            counts="units",
            where={"quantity": list(_SILHOUETTES), **most},
            x="layer",
            colour="quantity",
            panel="assignment",
            labels={**_SILHOUETTES, **HOW},
            x_label=layers,
            y_label="silhouette",
        ),
        Bars(
            name="stability",
            title="Do the same clusters come out again?",
            caption=f"Adjusted Rand index with {k} classes seen transformed: between the clusters of two halves of the "
            "test images, and between those of all units and of units drawn with replacement. 1 is the same, 0 chance.",
            counts="units",
            where={"quantity": list(_STABILITY), **most},
            x="layer",
            colour="quantity",
            panel="assignment",
            labels={**_STABILITY, **HOW},
            x_label=layers,
            y_label="adjusted Rand index",
        ),
        Lines(
            name="by-layer",
            title="Silhouette beyond shuffled columns",
            caption="By layer, and by the number of classes seen transformed.",
            counts="units",
            where={"quantity": "silhouette beyond shuffled columns"},
            x="layer",
            colour="k",
            panel="assignment",
            labels=HOW,
            x_label=layers,
            y_label="difference of silhouettes",
            reference=0.0,
        ),
    ]
    shown: list[Figure] = []
    for assignment in assignments:
        where = {"assignment": assignment, **most, "seed": [seed], "cluster": [*"ABCDEF", NO_CLUSTERS]}
        told = f"{k} classes seen transformed, {HOW[assignment]}, seed {seed}"
        shown += [
            Heat(
                name=f"centres-{assignment}",
                title=f"Centres of the clusters: {HOW[assignment]}",
                caption=f"Mean invariance of a cluster's units, {told}; A is the largest cluster of its layer. A layer "
                "without clusters has the mean of all its units.",
                table="centres",
                where=where,
                x="transformation",
                y="cluster",
                panel="layer",
                span=(0, 1),
            ),
            Scatter(
                name=f"units-{assignment}",
                title=f"Units along their two directions of largest spread: {HOW[assignment]}",
                caption=f"A dot per unit, {told}; the axes are those of each layer.",
                table="units",
                where=where,
                x="first",
                y="second",
                colour="cluster",
                panel="layer",
                x_label="first component",
                y_label="second component",
            ),
        ]
    return [*evidence, *shown]
