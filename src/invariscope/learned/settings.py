"""How an Invariant Transformer Net is built, trained and certified, as plain values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from invariscope.core.errors import SettingError
from invariscope.core.names import unknown
from invariscope.transformations.base import Fill

HEADS = ("colour", "spatial", "convolution", "displacement")
TARGETS = ("labels", "agreement", "unit", "layer")
SWITCHES = ("average", "batch", "sum")


@dataclass(frozen=True)
class LearnSettings:
    """Settings of `learn_transformer`.

    The defaults were tried on a CIFAR-10 ResNet-20 with 4,000 images to learn from and 1,000 to certify on. A tolerance
    of 0.05 keeps the mean over k and not the worst k (certified scale 0.05); 0.02 keeps all (scale 1). Letting the rate
    settle takes out where the last step happens to fall. An ε that spares weights with small gradients in repairing
    steps changed nothing there, and hid a shift that another network ignores. Most of what bilinear reading costs is
    blur: half a pixel of shift in x and y alone takes accuracy from .915 to .806.

    Args:
        heads: which parts an image passes, one or more: "colour" (affine in the channels), "convolution" (one kernel),
            "spatial" (affine in the coordinates), "displacement" (a smooth field); always in this order.
        steps: of training.
        batch_size: images per step.
        k_per_batch: how many control parameters share a batch; every one serves as many images.
        learning_rate: of Adam.
        colour_weight: c_θ, of the colour head's loss beside the spatial one's.
        convolution_weight: the same for the convolution.
        displacement_weight: the same for the displacement field.
        tolerance: how far accuracy (or the response that is kept) may fall below its clean value on the training images
            before the next step repairs it; in the units of accuracy.
        ema: share of the moving average of accuracy that every step keeps.
        target: what is to stay: "labels" (right classes), "agreement" (the network's own clean predictions), "unit"
            (one unit's response), "layer" (the direction of a layer's response).
        layer: the site, for "unit" and "layer".
        unit: the unit's index, for "unit".
        reduce: how a unit of a convolutional layer is read: "max", "mean" or "centre".
        driving: for "unit", the share of the images that counts: those that drive the unit most.
        anchor: F(0) is the identity, I + MLP(k) − MLP(0).
        optimisers: "two" keeps Adam's averages apart for steps that enlarge and steps that repair; "one" shares them.
        settle: share of the steps, the last ones, over which the learning rate falls to nothing.
        init_std: standard deviation of the last layers' first weights.
        norm: of the loss: "closed" (the exact mean over unit vectors) or "sampled".
        n_vectors: unit vectors per step, for "sampled".
        switch: what decides between enlarging and repairing: "average" (the moving average of accuracy), "batch" (the
            accuracy of this batch), "sum" (nothing: both losses at once).
        sum_weight: of the enlarging loss, for "sum".
        start: "identity" (near I) or "random" (the last layers give the matrices themselves).
        clip: largest length of each head's gradient; None leaves it.
        distinct: weight of a penalty on the two components of k doing the same: the squared cosine between their
            families.
        kernel_size: of the convolution, odd.
        kernel_sum: "one" keeps flat areas as they are; "free" does not.
        control_points: of the displacement field, along each axis.
        interpolation: of what is read between pixels: "bilinear" (as in the paper; half a pixel of shift already blurs)
            or "bicubic".
        fill: what comes in from outside: a value, one per channel, "mean", "zero", "border" or "reflect"; None is the
            mean of the network's recipe.
        holdout: images that training does not see: a share below 1, or how many.
        target_accuracy_share: share of the original accuracy that the certificate requires.
        criterion: whether the certificate requires it of the "worst" k on the grid, or of their "mean".
        scales: the scales s that are tried; 0 is added.
        k_grid: values of each component of k on the certificate's grid.
        literal: the paper's own version: a random start without anchor, the accuracy of each batch as a hard switch,
            one optimiser at one rate, sampled vectors, one k per batch, no clipping.

    Raises:
        SettingError: a name that there is not, or a number that cannot be.

    Example:
        >>> LearnSettings(steps=100).heads
        ('colour', 'spatial')

    Source: Bunne et al., §III.D; what it leaves open (hidden width, rates, batch) and the stabilisation are ours.
    """

    heads: tuple[str, ...] | str = ("colour", "spatial")
    steps: int = 400
    batch_size: int = 64
    k_per_batch: int = 8
    learning_rate: float = 1e-3
    colour_weight: float = 1.0
    convolution_weight: float = 1.0
    displacement_weight: float = 1.0
    tolerance: float = 0.02
    ema: float = 0.9
    target: str = "labels"
    layer: str | None = None
    unit: int | None = None
    reduce: str = "max"
    driving: float = 0.25
    anchor: bool = True
    optimisers: str = "two"
    settle: float = 0.5
    init_std: float = 0.03
    norm: str = "closed"
    n_vectors: int = 64
    switch: str = "average"
    sum_weight: float = 1.0
    start: str = "identity"
    clip: float | None = 1.0
    distinct: float = 0.0
    kernel_size: int = 5
    kernel_sum: str = "one"
    control_points: int = 5
    interpolation: str = "bilinear"
    fill: Fill | None = None
    holdout: float | int = 0.1
    target_accuracy_share: float = 0.95
    criterion: str = "worst"
    scales: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    k_grid: int = 5
    literal: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", tuple(head for head in HEADS if head in self._known_heads()))
        object.__setattr__(self, "scales", tuple(sorted({float(scale) for scale in self.scales})))
        words = {
            "target": TARGETS,
            "optimisers": ("two", "one"),
            "norm": ("closed", "sampled"),
            "switch": SWITCHES,
            "start": ("identity", "random"),
            "kernel_sum": ("one", "free"),
            "criterion": ("worst", "mean"),
            "interpolation": ("bilinear", "bicubic"),
        }
        for name, known in words.items():
            if getattr(self, name) not in known:
                raise SettingError(unknown(name.replace("_", " "), str(getattr(self, name)), known))
        for name, fits, rule in _RULES:
            value = getattr(self, name)
            if not fits(value):
                raise SettingError(f"{name.replace('_', ' ')} is {rule}; got {value!r}.")
        if self.target in ("unit", "layer") and self.layer is None:
            raise SettingError(f"target={self.target!r} needs layer=, the site whose response is to stay.")
        if self.target == "unit" and self.unit is None:
            raise SettingError("target='unit' needs unit=, the index of the unit in its layer.")

    @property
    def effective(self) -> "LearnSettings":
        """What is really done: with `literal`, the settings of the paper's version."""
        if not self.literal:
            return self
        return replace(
            self,
            anchor=False,
            start="random",
            switch="batch",
            optimisers="one",
            norm="sampled",
            k_per_batch=1,
            clip=None,
            tolerance=0.0,
            settle=0.0,
            distinct=0.0,
        )

    def weight(self, head: str) -> float:
        """The weight of a head's loss: 1 for the spatial one.

        Example:
            >>> LearnSettings(colour_weight=5).weight("colour")
            5.0
        """
        return float(getattr(self, f"{head}_weight", 1.0))

    def _known_heads(self) -> tuple[str, ...]:
        heads = (self.heads,) if isinstance(self.heads, str) else tuple(self.heads)
        for head in heads:
            if head not in HEADS:
                raise SettingError(unknown("head", str(head), HEADS))
        if not heads:
            raise SettingError(f"at least one head is needed; known: {', '.join(HEADS)}.")
        return heads


_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("steps", lambda value: value >= 1, "1 or more"),
    ("batch_size", lambda value: value >= 1, "1 or more"),
    ("k_per_batch", lambda value: value >= 1, "1 or more"),
    ("learning_rate", lambda value: value > 0, "above 0"),
    ("tolerance", lambda value: 0 <= value < 1, "from 0 to below 1"),
    ("ema", lambda value: 0 <= value < 1, "from 0 to below 1"),
    ("driving", lambda value: 0 < value <= 1, "above 0 and at most 1"),
    ("settle", lambda value: 0 <= value <= 1, "from 0 to 1"),
    ("init_std", lambda value: value >= 0, "0 or more"),
    ("n_vectors", lambda value: value >= 1, "1 or more"),
    ("clip", lambda value: value is None or value > 0, "above 0, or None"),
    ("kernel_size", lambda value: value >= 3 and value % 2 == 1, "odd and 3 or more"),
    ("control_points", lambda value: value >= 2, "2 or more"),
    ("holdout", lambda value: value > 0, "a share between 0 and 1, or a number of images"),
    ("target_accuracy_share", lambda value: 0 < value <= 1, "above 0 and at most 1"),
    ("k_grid", lambda value: value >= 2, "2 or more"),
    ("scales", lambda value: value and min(value) >= 0, "a tuple of numbers of 0 or more"),
)
