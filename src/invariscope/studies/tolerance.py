"""Up to which magnitude do networks behave invariantly, and does that depend on transformation, class and network?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown
from invariscope.findings.figures import Figure
from invariscope.findings.finding import Finding
from invariscope.studies.base import STUDIES, Row, Tables
from invariscope.studies.given import Given, GivenStudy, shown_images
from invariscope.studies.tidy import found, ordered, over_seeds
from invariscope.studies.tolerance_classes import chance_row, class_rows, switch_rows, turn_rows
from invariscope.studies.tolerance_figures import figures_of, tables_of
from invariscope.studies.tolerance_findings import find_all
from invariscope.studies.tolerance_grids import NOISE, PAPER, TURN, grid_of
from invariscope.studies.tolerance_pairs import pair_rows
from invariscope.studies.tolerance_pictures import picture_rows
from invariscope.studies.tolerance_softmax import softmax_rows
from invariscope.studies.tolerance_spread import changes_at_thresholds, spread_rows
from invariscope.studies.tolerance_sweeps import replicate_rows, sweep_of, sweep_rows
from invariscope.tolerance.curves import curves
from invariscope.transformations.base import TRANSFORMATIONS

_DISCS = ("●", "⊙", "°", "orange", "tennis ball", "golf ball", "ping-pong ball", "croquet ball", "baseball")
_HALF_TURN = ("H", "I", "N", "S", "X", "Z", "И", "Ξ", "∞", "%")
_MIRROR = ("A", "M", "T", "U", "V", "W", "Y", "Δ", "Λ", "Ψ", "♀")
_CONDITIONS = ("network", "other", "transformation", "side", "level", "group")


@STUDIES.add("tolerance")
@dataclass(frozen=True)
class Tolerance(GivenStudy):
    """Up to which magnitude do networks behave invariantly, and does that depend on transformation, class and network?

    Every network is shown its test images under every transformation of the paper, from next to nothing to where little
    is left. Accuracy and the softmax of single classes are drawn against magnitude, networks side by side; thresholds,
    how they differ between transformations and classes, and what two networks have in common are judged.

    Args:
        transformations: names; those that change nothing of the images are left out.
        magnitudes: by name, in place of the study's own; the identity is always included.
        classes: whose softmax curves are drawn; none takes those with the smallest and the largest tolerance.
        shown: transformations whose softmax curves are drawn.
        discs: names of classes that are the same after any turn.
        half_turn: the same after half a turn.
        mirror: the same in an upright mirror, and not after half a turn.
        replicates: of the bootstrap over images.

    Source: Bunne et al., sections III-C and IV-A, figures 2, 3, 6 and 7.
    """

    source = "Bunne et al., section IV-A, figures 2, 3, 6, 7"
    limits = (
        "A threshold is read off a curve through the magnitudes of the grid, linearly between them; what happens "
        "between "
        "two of them is not seen. The command thresholds brackets them as finely as asked, image by image.",
        "The curve of one class can look tolerant because the network's errors collapse on that class.",
        "Changes of pixels compare transformations in one unit, not as people see them: a shift by one pixel changes "
        "many pixels and is hardly seen.",
        "Networks that standardise each image undo brightness and gain, as far as nothing is clipped.",
        "Tolerance is that of these images: at another resolution a blur in pixels is another blur.",
    )
    scales: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "smoke": {
            "images": "builtin:symmetries?per_class=6",
            "transformations": ("rotation", "gaussian-noise", "translation-x"),
            "shown": ("rotation",),
            "seeds": (0,),
            "epochs": 2,
            "replicates": 50,
        },
        "small": {"images": "builtin:symmetries", "seeds": (0, 1, 2, 3, 4)},
        "paper": {
            "images": "imagenet",
            "networks": ("torchvision:alexnet?weights=DEFAULT", "torchvision:resnet101?weights=DEFAULT"),
            "seeds": (0,),
            "epochs": 0,
            "limit": 10_000,
            "classes": ("broom", "obelisk", "orange", "volcano"),
        },
    }

    transformations: tuple[str, ...] = (*PAPER, "hue")
    magnitudes: tuple[tuple[str, tuple[float, ...]], ...] = ()
    classes: tuple[str, ...] = ()
    shown: tuple[str, ...] = (NOISE, TURN, "zoom", "translation-x")
    discs: tuple[str, ...] = _DISCS
    half_turn: tuple[str, ...] = _HALF_TURN
    mirror: tuple[str, ...] = _MIRROR
    replicates: int = 400

    def check(self) -> None:
        """Refuse what no network could be shown.

        Raises:
            InvariscopeError: what does not fit.
        """
        if not self.transformations:
            raise SettingError("the study needs at least one transformation.")
        for name in self.transformations:
            TRANSFORMATIONS[name]()
        for name, values in self.magnitudes:
            if name not in self.transformations:
                raise SettingError(f"magnitudes are given for {name}, which is not among the transformations.")
            TRANSFORMATIONS[name]().check_magnitudes(values)
        if self.replicates < 1:
            raise SettingError(f"replicates of the bootstrap are 1 or more; got {self.replicates}.")
        super().check()
        known = shown_images(self, self.seeds[0]).classes or ()
        for name in self.classes:
            if name not in known:
                raise SettingError(unknown("class of these images", name, known))

    def grid(self, name: str, height: int, width: int) -> tuple[float, ...]:
        """The magnitudes of a transformation for images of a size, the identity among them."""
        transformation = TRANSFORMATIONS[name]()
        given = dict(self.magnitudes).get(name)
        if given is None:
            return grid_of(transformation, height, width)
        return tuple(sorted({*map(float, given), transformation.identity}))

    def passes(self) -> float:
        """Magnitudes of all transformations."""
        return float(sum(len(self.grid(name, 224, 224)) for name in self.transformations))

    def observe(self, given: Given) -> Mapping[str, Sequence[Row] | pd.DataFrame]:
        """Curves, thresholds and classes under every transformation."""
        rows: list[Row] = []
        tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("curves", "softmax", "classes", "pictures")}
        tables |= {} if given.trained else {"replicates": []}
        changes, symmetric = {}, (*self.discs, *self.half_turn, *self.mirror)
        for name in self.transformations:
            family = given.transformation(name)
            magnitudes = self.grid(name, given.images.height, given.images.width)
            swept = sweep_of(given, family, magnitudes, self.replicates)
            if swept.idle:
                rows.append(found("images changed", 0.0, n=swept.sweep.n_images, transformation=name))
                continue
            rows += [*sweep_rows(swept), chance_row(swept)]
            rows += turn_rows(swept, self.discs, self.half_turn, self.mirror)
            classes = class_rows(swept)
            rows += switch_rows(classes)
            table = curves(swept.sweep, replicates=self.replicates)
            tables["curves"].append(table.assign(identity=table["magnitude"] == family.identity))
            tables["softmax"].append(softmax_rows(swept))
            tables["classes"].append(classes)
            tables["pictures"].append(picture_rows(given, swept, family, symmetric))
            if not given.trained:
                tables["replicates"].append(replicate_rows(swept))
            changes[name] = changes_at_thresholds(swept)
        rows += spread_rows(changes, len(given.images))
        joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items() if parts}
        return {"results": rows, **joined}

    def results(self, tables: Tables) -> pd.DataFrame:
        """What was found of every network and of every two, then the means over seeds."""
        rows = tables["results"]
        pairs = pd.DataFrame(pair_rows(dict(tables), rows))
        rows = pd.concat([rows, pairs], ignore_index=True) if len(pairs) else rows
        rows = rows.reindex(columns=list(dict.fromkeys([*_CONDITIONS, *rows.columns])))
        for column in ("other", "transformation", "side", "group"):
            rows[column] = rows[column].astype(object)
        return ordered(over_seeds(rows), self.source, _CONDITIONS)

    def more(self, tables: Tables, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """What is drawn: softmax curves of the chosen classes, thresholds, classes of both networks."""
        return tables_of(tables, results, self.classes, self.shown)

    def findings(self, results: pd.DataFrame, tables: Tables) -> list[Finding]:
        """The paper's claims, each with its number."""
        return find_all(results, tables)

    def figures(self) -> list[Figure]:
        """Accuracy curves, softmax curves, thresholds, pictures, classes."""
        return figures_of([name for name in self.shown if name in self.transformations], self.classes)
