"""How far may two transformations go together?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.words import spoken, title
from invariscope.findings.figures import Field, Figure, Intervals
from invariscope.findings.finding import Finding
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.given import Given, GivenStudy
from invariscope.studies.joint_findings import find_all
from invariscope.studies.tidy import found
from invariscope.tolerance.joint import JointTolerance, joint_tolerance
from invariscope.transformations.joint import Joint

_SHIFTS = (0.03125, 0.0625, 0.09375, 0.125, 0.1875, 0.25, 0.375)
_ANGLES = (2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0)
_FEWER = (
    ("translation-x", (-0.25, 0.0, 0.25)),
    ("translation-y", (-0.25, 0.0, 0.25)),
    ("rotation", (-30.0, 0.0, 30.0)),
    ("zoom", (0.7, 1.0, 1.4)),
)


def _both_sides(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted({0.0, *values, *(-value for value in values)}))


@STUDIES.add("joint-tolerance")
@dataclass(frozen=True)
class JointToleranceStudy(GivenStudy):
    """How far may two transformations go together, and is that less than each may go alone?

    Both are applied at every pair of magnitudes, in one resampling. The region in which a share of the clean accuracy
    is kept, and which hangs together with the untransformed image, is set against the box of what each alone allows.

    Args:
        pairs: two transformations each; the first is applied first, and drawn across.
        magnitudes: by name; transformations without take their default grid.
        level: the share of the clean accuracy that bounds the region of the findings.
        replicates: of the bootstrap over images.

    Source: Bunne et al., section IV-A, figures 2d and 3d.
    """

    source = "Bunne et al., section IV-A, figures 2d, 3d"
    limits = (
        "Between the points of the grid accuracy is taken to be linear; a region narrower than the grid is not seen.",
        "Areas are products of magnitudes in their own units: a share of the plane depends on how far the grid goes, "
        "the ratio to the box does not unless the grid ends first.",
        "What is tolerated on average of all images may still fool each of them somewhere: see the study worst-case.",
        "The paper shows one class of ImageNet per network; here all classes are taken together, and each is in the "
        "table.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {
            "images": "builtin:glyphs?per_class=4",
            "seeds": (0,),
            "epochs": 1,
            "limit": 60,
            "magnitudes": _FEWER,
            "replicates": 50,
        },
        "small": {"limit": 600},
        "paper": {
            "images": "imagenet",
            "networks": ("torchvision:alexnet?weights=DEFAULT", "torchvision:resnet101?weights=DEFAULT"),
            "seeds": (0,),
            "epochs": 0,
            "limit": 5000,
        },
    }

    pairs: tuple[tuple[str, str], ...] = (("translation-x", "translation-y"), ("rotation", "zoom"))
    magnitudes: tuple[tuple[str, tuple[float, ...]], ...] = (
        ("translation-x", _both_sides(_SHIFTS)),
        ("translation-y", _both_sides(_SHIFTS)),
        ("rotation", _both_sides(_ANGLES)),
        ("zoom", (0.65, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.5)),
    )
    level: float = 0.9
    replicates: int = 500

    def check(self) -> None:
        """Refuse what no network could be asked.

        Raises:
            InvariscopeError: what does not fit.
        """
        super().check()
        if not 0 < self.level < 1:
            raise SettingError(f"the level is a share of the clean accuracy, above 0 and below 1; got {self.level:g}.")
        if not self.pairs:
            raise SettingError('joint tolerance needs a pair of transformations, such as [["rotation", "zoom"]].')
        for pair in self.pairs:
            if pair[0] == pair[1]:
                raise SettingError(f"joint tolerance is of two different transformations; got {pair[0]} twice.")
            for step in Joint(pair).steps:
                step.check_magnitudes(dict(self.magnitudes).get(step.name, (step.identity,)))

    def passes(self) -> float:
        """Points of all planes."""
        grids = dict(self.magnitudes)
        steps = [Joint(pair).steps for pair in self.pairs]
        sizes = [[len(grids.get(step.name, step.default_grid(224, 224))) for step in pair] for pair in steps]
        return float(sum(across * up for across, up in sizes))

    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """The plane of every pair: accuracy, outlines, areas."""
        grids = dict(self.magnitudes)
        tables: dict[str, list[pd.DataFrame]] = {"joint": [], "contour": [], "area": []}
        rows: list[Row] = []
        for x, y in self.pairs:
            seen = joint_tolerance(
                given.network,
                given.images,
                x,
                y,
                magnitudes={name: grids[name] for name in (x, y) if name in grids},
                levels=sorted({self.level, 0.5}, reverse=True),
                replicates=self.replicates,
                seed=given.seed,
            )
            name = pair_name(x, y)
            for kind, parts in tables.items():
                part = getattr(seen, kind).copy()
                part.insert(0, "pair", name)
                parts.append(part)
            rows += _found(seen, name)
        joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
        return {"results": rows, **joined}

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """Whether joint tolerance is smaller than the box, and what two networks have in common."""
        return find_all(results, tables, self.level)

    def figures(self) -> list[Figure]:
        """The planes, the softmax over them, and the region beside its box."""
        planes = [figure for x, y in self.pairs for figure in self._planes(x, y)]
        return [
            *planes,
            Intervals(
                name="ratio",
                title="The joint region beside the box of single tolerances",
                caption=f"The area of the region that keeps {self.level:.0%} of the clean accuracy, as a share of the "
                "box that the tolerance to each transformation alone encloses. At 1 the two do not add up.",
                where={"quantity": "ratio", "level": self.level},
                x="value",
                y="pair",
                colour="network",
                labels=self._names(),
                x_label="joint region / box",
                reference=1.0,
                counts="images",
            ),
        ]

    def _planes(self, x: str, y: str) -> list[Figure]:
        across, up = Joint([x, y]).steps
        shared: dict[str, Any] = {
            "table": "joint",
            "x": "magnitude_x",
            "y": "magnitude_y",
            "panel": "network",
            "where": {"pair": pair_name(x, y), "class": "all"},
            "x_label": f"{spoken(x)} ({across.unit_of_measure})",
            "y_label": f"{spoken(y)} ({up.unit_of_measure})",
            "share": True,
            "span": (0.0, 1.0),
            "origin": (across.identity, up.identity),
            "counts": "images",
        }
        together = f"{title(x)} and {spoken(y)} together"
        return [
            Field(
                name=f"plane-{x}-{y}",
                title=together,
                caption="Accuracy as a share of the clean accuracy, with both applied in one resampling.",
                value="relative",
                levels=tuple(sorted({self.level, 0.5})),
                **shared,
            ),
            Field(
                name=f"softmax-{x}-{y}",
                title=f"{together}: confidence",
                caption="Mean softmax of the true class, with both applied in one resampling.",
                value="softmax_true",
                levels=(0.25, 0.5, 0.75),
                **shared,
            ),
        ]

    def _names(self) -> dict[str, str]:
        return {pair_name(x, y): f"{title(x)} and {spoken(y)}" for x, y in self.pairs}


def pair_name(x: str, y: str) -> str:
    """What a pair is called in tables.

    Example:
        >>> pair_name("rotation", "zoom")
        'rotation × zoom'
    """
    return f"{x} × {y}"


def _found(seen: JointTolerance, name: str) -> list[Row]:
    own = seen.area[seen.area["class"] == "all"]
    return [
        found(
            quantity,
            row[quantity],
            row[f"{quantity}_low"],
            row[f"{quantity}_high"],
            n=row["n"],
            unit_of_measure="of the box" if quantity in ("ratio", "within") else "of the plane",
            pair=name,
            level=row["level"],
        )
        for row in own.to_dict("records")
        for quantity in ("share", "box", "ratio", "within")
    ]
