"""What a measurement was asked to do, besides the network, the images and the transformations."""

from dataclasses import asdict, dataclass

from invariscope.core.errors import SettingError


@dataclass(frozen=True)
class Settings:
    """Every choice that changes a number of a measurement.

    Args:
        layers: which sites: "activations", "all", or comma-separated names and globs.
        units: "channels" (positions reduced away) or "positions" (every channel at every position).
        reduce: "max", "mean" or "centre" over positions or tokens.
        negative: how negative responses become activity: "rectify", "abs", "shift", or None for not at all.
        tau: activity that counts as active, as a fraction of the peak; from 0 to below 1.
        firing: the share of clean responses that counts as firing (Goodfellow); above 0, below 1.
        limit: at most so many images, class-balanced; None is all.
        seed: of the images' draw and order, the noise, the null and the bootstraps.
        batch_size: images per forward pass; None chooses by image size. Numbers agree to rounding.
        memory: how much the responses may take in memory, as in "2GiB", before they go to a temporary file.
        invariant: a unit with a larger invariance coefficient (and above its null) counts as invariant.
        specialized: a unit with a larger absolute specialization counts as specialized.
        tolerated: a transformation is tolerated while accuracy is at least this share of the clean one.
        replicates: bootstrap resamples behind every interval.
        controls: random sets of units against which an ablation is judged.
    """

    layers: str = "activations"
    units: str = "channels"
    reduce: str = "max"
    negative: str | None = None
    tau: float = 0.1
    firing: float = 0.01
    limit: int | None = None
    seed: int = 0
    batch_size: int | None = None
    memory: str = "2GiB"
    invariant: float = 2 / 3
    specialized: float = 0.5
    tolerated: float = 0.9
    replicates: int = 200
    controls: int = 5

    def __post_init__(self) -> None:
        _choice("units", self.units, ("channels", "positions"))
        _choice("reduce", self.reduce, ("max", "mean", "centre"))
        if self.negative is not None:
            _choice("negative", self.negative, ("rectify", "abs", "shift"))
        _between("tau", self.tau, 0 <= self.tau < 1, "a fraction of the peak from 0 to below 1")
        _between("firing", self.firing, 0 < self.firing < 1, "a share of the images above 0 and below 1")
        _between("limit", self.limit, self.limit is None or self.limit > 0, "a number of images, 1 or more")
        _between("seed", self.seed, self.seed >= 0, "a whole number, 0 or more")
        _between("batch-size", self.batch_size, self.batch_size is None or self.batch_size > 0, "1 or more")
        _between("replicates", self.replicates, self.replicates >= 20, "20 or more")
        _between("controls", self.controls, self.controls >= 1, "1 or more")
        for name in ("invariant", "specialized", "tolerated"):
            value = getattr(self, name)
            _between(name, value, 0 < value <= 1, "a share above 0 and at most 1")
        if self.units == "positions" and self.layers in ("activations", "all"):
            raise SettingError(
                "units=positions measures every position of every channel, so the layers must be named; "
                f"got layers={self.layers!r}: give one or more names (`invariscope layers NETWORK` lists them)."
            )

    def as_dict(self) -> dict[str, object]:
        """Plain values, for run.json."""
        return asdict(self)


def _choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingError(f"{name} takes one of {', '.join(known)}; got {value!r}.")


def _between(name: str, value: object, fine: bool, what: str) -> None:
    if not fine:
        raise SettingError(f"{name} takes {what}; got {value!r}.")
