"""The main job: how far a network tolerates each transformation, in which layers and units, and why."""

import platform
import time
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

import invariscope
from invariscope.core.progress import Progress, Silent
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.networks.load import load_network
from invariscope.networks.network import Network, as_network
from invariscope.networks.recipe import Recipe
from invariscope.runs.describe import describe
from invariscope.runs.device import choose_device
from invariscope.runs.execute import execute
from invariscope.runs.place import place
from invariscope.runs.plan import Plan, make_plan
from invariscope.runs.run import Run
from invariscope.runs.settings import Settings
from invariscope.runs.store import Store
from invariscope.runs.tau import by_ablation, settled_tau
from invariscope.transformations.base import Transformation

Transformations = str | Sequence[str | Transformation] | Mapping[str, Sequence[float | int]] | None


def measure(
    network: Network | nn.Module | Callable[..., Any] | str,
    images: Images | str | Path,
    *,
    transformations: Transformations = None,
    magnitudes: Sequence[str] = (),
    layers: str | Sequence[str] = "activations",
    group_classes: Sequence[str] | str | Path | None = None,
    class_names: Sequence[str] | str | Path | None = None,
    strict: bool = False,
    device: str = "auto",
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
    cache: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Measure a trained network's tolerance and invariance, and say which of its units carry it.

    For every strength of every transformation the responses of all units to x and to T(x) are compared
    (`docs/decisions.md` defines each number), the outputs give tolerance curves and thresholds, and the units of the
    last hidden site are silenced kind by kind for the verdict.

    Args:
        network: a network, any module that takes [0, 1] images, or a specifier such as "torchvision:resnet18".
        images: images, or a specifier such as a folder with one folder per class.
        transformations: names, transformations, or magnitudes by name; None is all of them.
        magnitudes: grids as text, "rotation=0:180:13" or "rotation=0,15,30"; the identity is always included.
        layers: "activations", "all", or names and globs of sites.
        group_classes: names (or a file of names) of the classes that the network saw transformed in training; a
            network that `train` made knows its own.
        class_names: one name per output, or a file of them.
        strict: refuse images that cannot be read instead of skipping and counting them.
        device: "auto", "cpu", "mps", "cuda" or "cuda:N".
        out: the run directory; None keeps the run in a temporary one for as long as the result lives.
        resume: go on with an interrupted run in `out`; a finished one is returned as it is.
        overwrite: replace a run in `out`.
        progress: is told of every image; None is silent.
        command: the command line, for the record.
        cache: a folder where decoded images are kept for the next run; None keeps none.
        **settings: the fields of `Settings`: units, reduce, negative, tau (or "ablation", to choose it), firing, limit,
            seed, batch_size, memory, invariant, specialized, tolerated, replicates, controls.

    Returns:
        The run: `.verdicts`, `.curves`, `.thresholds`, `.units`, `.layers`, `.report()`.

    Raises:
        InvariscopeError: bad input, in one sentence.

    Example:
        >>> import torch
        >>> from invariscope.images.images import Images
        >>> pool = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        >>> data = Images(torch.rand(6, 3, 8, 8), [0, 1, 2, 0, 1, 2], ["red", "green", "blue"])
        >>> run = measure(pool, data, transformations={"horizontal-flip": [1]}, device="cpu")
        >>> float(run.units.query("layer == '0'").invariance.min())
        1.0
    """
    started = time.monotonic()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    tau = settings.pop("tau", Settings.tau)
    to_find = by_ablation(tau)
    named = layers if isinstance(layers, str) else ",".join(layers)
    chosen = Settings(layers=named, **settings, **({} if to_find else {"tau": tau}))
    where = choose_device(device)
    loaded = load_network(network) if isinstance(network, str) else as_network(network)
    pictures = load_images(str(images), strict=strict) if isinstance(images, (str, Path)) else images
    if chosen.limit is not None:
        pictures = pictures.limit(chosen.limit, chosen.seed)
    prepared = pictures.fit(loaded.recipe, cache=None if cache is None else Path(cache), strict=strict)
    loaded.to(where)
    told = None
    if to_find:
        how = {name: getattr(chosen, name) for name in ("units", "reduce", "negative", "seed")}
        value, told = settled_tau(tau, loaded, pictures, **how)
        chosen = replace(chosen, tau=value)
    plan = make_plan(loaded, prepared, pictures, chosen, transformations, magnitudes, group_classes, class_names, where)
    plan.warnings.extend([told] if told else [])
    with place(out) as chosen_place:
        store = Store.open(chosen_place.path, plan.as_dict(), resume=resume, overwrite=overwrite)
        if not store.done:
            with store.filling(), python_warnings.catch_warnings():
                # A user's network may warn at every forward pass; what matters is in the run's own warnings.
                python_warnings.simplefilter("ignore")
                found = execute(plan, store, progress or Silent())
                info = _info(plan, found, command, began, time.monotonic() - started, where)
                names = [part.name for part in plan.parts]
                store.finish(names, info, describe(info), split_units=chosen.units == "positions")
        run = Run(store.path)
        chosen_place.keep_for(run)
    return run


def _recipe(recipe: Recipe) -> dict[str, Any]:
    said = {name: getattr(recipe, name) for name in ("size", "resize", "mean", "std")}
    return {**said, "standardise": True} if recipe.standardise else said


def _info(
    plan: Plan, found: Mapping[str, Any], command: str | None, began: str, seconds: float, device: torch.device
) -> dict[str, Any]:
    recipe = plan.network.recipe
    module = plan.network.module
    parameters = sum(p.numel() for p in module.parameters()) if isinstance(module, nn.Module) else None
    return {
        "version": invariscope.__version__,
        "command": command,
        "configuration": plan.configuration(),
        "seeds": {"seed": plan.settings.seed},
        "network": {
            "spec": plan.network.spec,
            "fingerprint": plan.network.fingerprint,
            "classes": list(plan.names),
            "recipe": _recipe(recipe),
            "parameters": parameters,
            "outputs": plan.n_outputs,
        },
        "images": plan.describe_images(),
        "device": str(device) if device.type == "cpu" else f"{device} ({_device_name(device)})",
        "seconds": round(seconds, 2),
        "warnings": plan.warnings + list(found["warnings"]),
        "clean_accuracy": found["clean_accuracy"],
        "started": began,
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.system() + " " + platform.machine(),
        },
        "sites": [vars(site) for site in plan.sites],
        "last_hidden_site": plan.hidden,
        "transformations": {
            part.name: {
                "unit_of_measure": part.transformation.unit_of_measure,
                "identity": part.transformation.identity,
                "magnitudes": list(part.magnitudes),
                "settings": repr(part.transformation),
                "summary": (type(part.transformation).__doc__ or "").strip().splitlines()[0],
            }
            for part in plan.parts
        },
    }


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
