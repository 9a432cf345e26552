"""A seeded simulation of tuned units and of recognition, and the tables of a run that it fills.

Each image has a margin; a magnitude takes a class's share of it away, and the image is recognised while some is left.
Each unit answers to the clean image and, weaker the further the magnitude is from the identity, to the transformed
one; deeper layers are tuned more broadly. All shares, coefficients and intervals are computed from these responses.
"""

from collections.abc import Sequence

import numpy as np

GRIDS: dict[str, tuple[str, float, tuple[float, ...], float]] = {
    "rotation": ("degrees", 0, (-180, -90, -60, -30, -15, -10, -5, 0, 5, 10, 15, 30, 60, 90, 180), 30),
    "translation-x": ("of the width", 0, (-0.5, -0.25, -0.125, -0.0625, 0, 0.0625, 0.125, 0.25, 0.5), 0.3),
    "translation-y": ("of the height", 0, (-0.5, -0.25, -0.125, -0.0625, 0, 0.0625, 0.125, 0.25, 0.5), 0.4),
    "scale-x": ("times as wide", 1, (0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2), 0.5),
    "scale-y": ("times as high", 1, (0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2), 0.6),
    "zoom": ("times as large", 1, (0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2), 0.4),
    "thinning": ("of the width", 1, (0.25, 0.5, 0.75, 0.9, 1), 0.4),
    "horizontal-flip": ("0 or 1", 0, (0, 1), 4),
    "vertical-flip": ("0 or 1", 0, (0, 1), 0.5),
    "shear": ("degrees", 0, (-40, -20, -10, 0, 10, 20, 40), 25),
    "perspective": ("of the width", 0, (0, 0.1, 0.2, 0.4), 0.3),
    "elastic": ("of the width", 0, (0, 0.02, 0.05, 0.1), 0.05),
    "occlusion": ("of the width", 0, (0, 0.1, 0.25, 0.5), 0.3),
    "brightness": ("of the range", 0, (-0.6, -0.4, -0.2, -0.1, 0, 0.1, 0.2, 0.4, 0.6), 0.5),
    "gain": ("times", 1, (0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3), 1.2),
    "contrast": ("times", 1, (0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3), 1.6),
    "gamma": ("exponent", 1, (0.3, 0.5, 0.8, 1, 1.25, 2, 3), 1.1),
    "saturation": ("times", 1, (0, 0.5, 1, 1.5, 2), 5),
    "grayscale": ("blend", 0, (0, 0.25, 0.5, 0.75, 1), 0.9),
    "hue": ("degrees", 0, (-120, -60, -30, 0, 30, 60, 120, 180), 60),
    "inversion": ("blend", 0, (0, 0.25, 0.5, 0.75, 1), 0.3),
    "gaussian-blur": ("pixels", 0, (0, 0.5, 1, 1.5, 2, 3, 4), 1.2),
    "high-pass": ("blend", 0, (0, 0.25, 0.5, 0.75, 1), 0.5),
    "pixelate": ("pixels", 1, (1, 2, 4, 8), 2),
    "jpeg": ("quality", 100, (5, 10, 20, 50, 100), 80),
    "gaussian-noise": ("of the range", 0, (0, 0.02, 0.05, 0.1, 0.2, 0.4), 0.02),
    "salt-and-pepper": ("of the pixels", 0, (0, 0.02, 0.05, 0.1, 0.25, 0.5), 0.015),
}
RESAMPLING = {"rotation", "scale-x", "scale-y", "zoom", "thinning", "shear", "perspective", "elastic", "translation-x"}
LAYERS = ("conv1.relu", *(f"layer{i}.{j}.relu()#1" for i in (1, 2, 3) for j in (0, 1)), "output")
TAU = 0.1
# Under these, other units answer to the transformed images than to the clean ones.
SWAPPED = {"hue", "translation-y", "grayscale", "gain", "scale-y"}


def wilson(k: float, n: float) -> tuple[float, float]:
    p, z = k / n, 1.96
    centre, spread = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


class Simulation:
    """The tables of one run; each method adds one transformation's rows."""

    def __init__(self, classes: Sequence[str], n_per_class: int, n_units: int, labels: bool, seed: int) -> None:
        self.random = np.random.Generator(np.random.PCG64(seed))
        self.classes, self.labels, self.n_units = tuple(classes), labels, n_units
        self.truth = np.repeat(np.arange(len(classes)), n_per_class)
        self.margin = np.abs(self.random.normal(1.3, 0.6, len(self.truth)))
        self.margin[self.random.random(len(self.truth)) < 0.07] *= -1
        self.weakness = self.random.uniform(0.7, 1.5, len(classes))
        self.other = (self.truth + 1 + self.random.integers(0, max(len(classes) - 1, 1), len(self.truth))) % len(
            classes
        )
        self.tables: dict[str, list[dict[str, object]]] = {
            name: [] for name in ("curves", "thresholds", "units", "layers", "verdicts", "predictions")
        }

    def predict(self, name: str, magnitude: float) -> np.ndarray:
        _, identity, _, width = GRIDS[name]
        distance = abs(np.log2(magnitude)) if identity == 1 and magnitude > 0 else abs(magnitude - identity)
        loss = (distance / width) ** 1.5 * self.weakness[self.truth]
        return np.where(np.sign(self.margin) * (np.abs(self.margin) - 0.0) - loss * 0.9 > 0, self.truth, self.other)

    def tolerance(self, name: str) -> None:
        unit, identity, grid, _ = GRIDS[name]
        clean = self.predict(name, identity)
        quality: dict[str, dict[str, list[float]]] = {}
        for magnitude in grid:
            predicted = self.predict(name, magnitude)
            for row in ("all", *self.classes):
                mine = np.ones(len(self.truth), bool) if row == "all" else self.truth == self.classes.index(row)
                n = int(mine.sum())
                right, same = (predicted == self.truth)[mine].sum(), (predicted == clean)[mine].sum()
                accuracy = (right / n, *wilson(right, n)) if self.labels else (np.nan,) * 3
                agreement = (same / n, *wilson(same, n))
                kept = quality.setdefault(row, {"accuracy": [], "agreement": []})
                kept["accuracy"].append(accuracy[0])
                kept["agreement"].append(agreement[0])
                keys = ("accuracy", "accuracy_low", "accuracy_high", "agreement", "agreement_low", "agreement_high")
                self.tables["curves"].append(
                    {
                        **dict(transformation=name, magnitude=float(magnitude), unit_of_measure=unit, n=n),
                        **{"class": row, "softmax_true": 0.9 * accuracy[0]},
                        **dict(softmax_true_low=accuracy[1], softmax_true_high=accuracy[2]),
                        **dict(zip(keys, (*accuracy, *agreement), strict=True)),
                    }
                )
        for row, kept in quality.items():
            n = len(self.truth) if row == "all" else int((self.truth == self.classes.index(row)).sum())
            for criterion in ("accuracy", "agreement") if self.labels else ("agreement",):
                for level in (0.9, 0.5):
                    for side in "+-":
                        self._threshold(name, row, criterion, level, side, np.array(kept[criterion]), n)

    def _threshold(
        self, name: str, row: str, criterion: str, level: float, side: str, quality: np.ndarray, n: int
    ) -> None:
        _, identity, grid, _ = GRIDS[name]
        home = grid.index(identity)
        way = list(range(home, len(grid))) if side == "+" else list(range(home, -1, -1))
        if len(way) == 1:
            return
        low = quality[way] < level * quality[home] - 1e-9
        nan, censored = float("nan"), not low.any()
        found = [nan] * 5
        if not censored:
            after = int(low.argmax())
            a, b = grid[way[after - 1]], grid[way[after]]
            q = quality[way]
            at = a + (q[after - 1] - level * q[0]) / (q[after - 1] - q[after]) * (b - a)
            blur = 1.2 / np.sqrt(n) * (at - identity)
            ends = sorted((at - blur, at + blur))
            found = [at, *(end if grid[0] <= end <= grid[-1] else nan for end in ends), *sorted((a, b))]
        columns = ("threshold", "low", "high", "bracket_low", "bracket_high")
        reentries = int((low[:-1] & ~low[1:]).sum())
        self.tables["thresholds"].append(
            {
                **{"transformation": name, "class": row, "criterion": criterion, "level": level, "side": side},
                **dict(zip(columns, found, strict=True)),
                **dict(censored=censored, reentries=reentries, n=n),
            }
        )

    def units(self, name: str) -> None:
        _, identity, grid, width = GRIDS[name]
        strengths = [magnitude for magnitude in grid if magnitude != identity]
        for magnitude in strengths:
            distance = abs(np.log2(magnitude)) if identity == 1 and magnitude > 0 else abs(magnitude - identity)
            for depth, layer in enumerate(LAYERS):
                tuned = (0.25 + 1.1 * depth / len(LAYERS)) * self.random.uniform(0.5, 1.8, self.n_units)
                clean = self.random.gamma(1.2, 1.0, (80, self.n_units))
                clean[:, 0] = 0
                kept = np.exp(-((distance / width / tuned) ** 2) / 2)
                gate = np.ones(self.n_units)
                if name in SWAPPED:
                    gate = self.random.beta(0.4, 0.6, self.n_units)
                    clean *= 1.02 - gate
                noise = self.random.gamma(1.2, 1.0, clean.shape)
                moved = clean * kept * gate + noise * (gate - kept * 0.9).clip(0.05) * self.random.uniform(
                    0.2, 1.1, self.n_units
                )
                moved[:, 0] = 0
                self._layer(name, float(magnitude), layer, clean, moved, hidden=depth == len(LAYERS) - 2)

    def _layer(
        self, name: str, magnitude: float, layer: str, clean: np.ndarray, moved: np.ndarray, hidden: bool
    ) -> None:
        nan, output = float("nan"), layer == "output"
        peak = np.maximum(clean.max(0), moved.max(0))
        active = (clean > TAU * peak) | (moved > TAU * peak)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(active, (moved - clean) / (moved + clean), nan)
            shuffled = np.roll(moved, 1, axis=0)
            mixed = np.where(active, 1 - np.abs(shuffled - clean) / (shuffled + clean), nan)
        known = active.any(0)
        invariance, special, null = (np.full(self.n_units, nan) for _ in range(3))
        if not output:
            invariance[known] = np.nanmean(1 - np.abs(ratio[:, known]), axis=0)
            special[known] = np.nanmean(ratio[:, known], axis=0)
            null[known] = np.nanmean(mixed[:, known], axis=0)
        floor = 0.93 if name in RESAMPLING and not output else nan
        for unit in range(self.n_units):
            self.tables["units"].append(
                {
                    **dict(layer=layer, unit=unit, transformation=name, magnitude=magnitude, group="all", n_images=80),
                    **dict(n_active=int(active[:, unit].sum()), invariance=invariance[unit], tau=TAU, null=null[unit]),
                    **dict(specialization=special[unit], noise_floor=floor, negative=output),
                }
            )
        for measure, values in (("invariance", invariance), ("specialization", special)):
            good = values[~np.isnan(values)]
            spread = 1.96 * good.std() / np.sqrt(len(good)) if len(good) else nan
            quartiles = np.percentile(good, [25, 50, 75]) if len(good) else [nan] * 3
            mean = float(good.mean()) if len(good) else nan
            self.tables["layers"].append(
                {
                    **dict(layer=layer, transformation=name, magnitude=magnitude, group="all", measure=measure),
                    **dict(n_units=self.n_units, n_dead=int((~known).sum()), mean=mean, low=mean - spread),
                    **dict(high=mean + spread, q25=quartiles[0], median=quartiles[1], q75=quartiles[2]),
                    **dict(
                        null=float(np.nanmean(null)) if measure == "invariance" and known.any() and not output else nan
                    ),
                    **dict(noise_floor=floor if measure == "invariance" else nan),
                }
            )
        if hidden:
            self._verdict(name, magnitude, layer, invariance, special)

    def _verdict(self, name: str, magnitude: float, layer: str, invariance: np.ndarray, special: np.ndarray) -> None:
        good = ~np.isnan(invariance)
        invariant, specialized = invariance[good] > 2 / 3, np.abs(special[good]) > 0.5
        share, other = invariant.mean(), (specialized & ~invariant).mean()
        clean, moved = self.predict(name, GRIDS[name][1]), self.predict(name, magnitude)
        reference = self.truth if self.labels else clean
        relative = (moved == reference).mean() / (clean == reference).mean()
        low, high = wilson(invariant.sum(), good.sum())
        cost = 0.7 * share, 0.15 + 0.2 * share, 0.3 * other, 0.2 * other
        word = "invariance" if share > 0.5 else "other units" if other > 0.5 else "mixed" if other > 0.1 else "neither"
        self.tables["verdicts"].append(
            {
                **dict(transformation=name, magnitude=magnitude, group="all", tolerated=bool(relative >= 0.9)),
                **dict(invariant_share=share, specialized_share=other, neither_share=1 - share - other),
                **dict(
                    ablation_invariant=cost[0] - cost[1], ablation_specialized=cost[2] - cost[3], low=low, high=high
                ),
                **dict(relative_accuracy=relative, relative_accuracy_low=relative - 0.02),
                **dict(relative_accuracy_high=relative + 0.02, n_active=int(good.sum()), n_images=len(self.truth)),
                **dict(layer=layer, ablation_invariant_cost=cost[0], ablation_invariant_control=cost[1]),
                **dict(ablation_specialized_cost=cost[2], ablation_specialized_control=cost[3]),
                **dict(verdict=word if relative >= 0.9 else "not tolerated"),
            }
        )
