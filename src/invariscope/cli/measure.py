"""`invariscope measure`: the main job."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from invariscope.cli.options import Flag, Names, Shared, split

WHAT = Group("What is measured", sort_key=1)
HOW = Group("How it is measured", sort_key=2)
LIMITS = Group("What the verdict calls so", sort_key=3)


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """How a network is measured.

    Args:
        transformations: names, separated by commas; all of them when it is left out.
        magnitudes: a grid, as in rotation=0:180:13 (start:stop:count) or rotation=0,15,30; may be repeated.
        layers: activations, all, or names and globs of sites (see the command layers), separated by commas.
        units: a channel reduced over its positions, or every channel at every position.
        reduce: how a channel's positions, or a feature's tokens, become one response.
        limit: at most so many images, as many of each class.
        group_classes: file of the classes that the network saw transformed in training, one per line.
        classes: file of the outputs' names, one per line.
        negative: how negative responses become activity; without it, what needs activity is unknown there.
        tau: activity that counts as active, as a fraction of the unit's peak; ablation chooses it: the largest below
            which silencing all activity of the last hidden layer costs at most 1 point of accuracy.
        firing: share of the clean responses that counts as firing (Goodfellow).
        batch_size: images per forward pass; chosen by the size of the images when it is left out.
        memory: how much the responses may take before they go to a temporary file.
        cache: folder that keeps the decoded images for the next run.
        strict: refuse images that cannot be read, instead of skipping and counting them.
        tolerated: accuracy, as a share of the clean one, down to which a transformation is tolerated.
        invariant: invariance coefficient above which (and above its null) a unit is invariant.
        specialized: absolute specialization above which a unit is specialized.
        replicates: bootstrap resamples behind each interval.
        controls: random sets of units that an ablation is compared with.
    """

    transformations: Annotated[Names, Parameter(group=WHAT)] = None
    magnitudes: Annotated[Names, Parameter(group=WHAT)] = None
    layers: Annotated[Names, Parameter(group=WHAT)] = None
    units: Annotated[Literal["channels", "positions"], Parameter(group=WHAT)] = "channels"
    reduce: Annotated[Literal["max", "mean", "centre"], Parameter(group=WHAT)] = "max"
    limit: Annotated[int | None, Parameter(group=WHAT)] = None
    group_classes: Annotated[Path | None, Parameter(group=WHAT)] = None
    classes: Annotated[Path | None, Parameter(group=WHAT)] = None
    negative: Annotated[Literal["rectify", "abs", "shift"] | None, Parameter(group=HOW)] = None
    tau: Annotated[float | str, Parameter(group=HOW)] = 0.1
    firing: Annotated[float, Parameter(group=HOW)] = 0.01
    batch_size: Annotated[int | None, Parameter(group=HOW)] = None
    memory: Annotated[str, Parameter(group=HOW)] = "2GiB"
    cache: Annotated[Path | None, Parameter(group=HOW)] = None
    strict: Annotated[Flag, Parameter(group=HOW)] = False
    tolerated: Annotated[float, Parameter(group=LIMITS)] = 0.9
    invariant: Annotated[float, Parameter(group=LIMITS, show_default="{:.3g}".format)] = 2 / 3
    specialized: Annotated[float, Parameter(group=LIMITS)] = 0.5
    replicates: Annotated[int, Parameter(group=LIMITS)] = 200
    controls: Annotated[int, Parameter(group=LIMITS)] = 5


def measure(
    network: str,
    images: str,
    *,
    options: Options = Options(),
    shared: Shared = Shared(),
) -> None:
    """Measure how far a trained network tolerates each transformation, for which classes, and in which units.

    Args:
        network: torchvision:NAME, timm:NAME, builtin:NAME, a file.py:function, an exported .pt2, or a .safetensors
            file of the command train; settings follow a question mark: torchvision:resnet18?weights=my.safetensors.
        images: a folder per class, a parquet file or folder, an .npz, torchvision:NAME, or builtin:NAME.
        options: how it is measured.
        shared: what every command has.
    """
    out = shared.folder("measure")

    from invariscope.cli.work import finish, working
    from invariscope.runs.measure import measure as measure_network

    given = asdict(options)
    numbers = {name: value for name, value in given.items() if name not in (*_NAMED, "classes")}
    with working(shared, out) as progress:
        run = measure_network(
            network,
            images,
            transformations=split(options.transformations),
            magnitudes=options.magnitudes or (),
            layers=split(options.layers) or "activations",
            group_classes=options.group_classes,
            class_names=options.classes,
            **numbers,
            device=shared.device,
            seed=shared.seed,
            out=out,
            resume=shared.resume,
            overwrite=shared.overwrite,
            progress=progress,
            command=shared.command,
        )
    chosen = {"transformations": split(options.transformations), "layers": split(options.layers)}
    finish(run, shared, {"network": network, "images": images, **given, **chosen})


_NAMED = ("transformations", "magnitudes", "layers", "group_classes")
