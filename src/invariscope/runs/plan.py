"""A measurement with every choice made: what is run on what, in which order, under which strengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

import invariscope
from invariscope.core.errors import ImageError, NetworkError
from invariscope.images.images import Images
from invariscope.images.labels import match_labels
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.networks.sites import Site, find_sites, last_hidden_site, select_sites
from invariscope.runs.device import choose_batch_size
from invariscope.runs.groups import Groups, make_groups, read_lines
from invariscope.runs.settings import Settings
from invariscope.tolerance.outcomes import MOST_OUTCOMES
from invariscope.transformations.base import Transformation
from invariscope.transformations.chain import Chain
from invariscope.transformations.select import select_transformations


@dataclass(frozen=True)
class Planned:
    """One transformation and its magnitudes, the identity among them, in ascending order."""

    transformation: Transformation
    magnitudes: tuple[float, ...]

    @property
    def name(self) -> str:
        """The transformation's name, which is also its part's in the run directory."""
        return self.transformation.name


@dataclass(frozen=True)
class Plan:
    """Everything a measurement needs to begin.

    Args:
        network: on its device.
        prepared: the images at the network's size.
        images: where they came from.
        settings: the choices that change numbers.
        parts: the transformations, in the order in which they run.
        sites: whose units are measured.
        hidden: the last hidden site, after which units are silenced for the verdict; None when there is none.
        order: the images' places in processing order, a seeded permutation; shape (image,).
        labels: class per image in processing order, as an index into `names`; shape (image,), or None.
        names: of the classes.
        groups: sets of images in processing order.
        n_outputs: how many numbers the network returns.
        scores: whether they are class scores.
        batch_size: images per forward pass.
        device: where the network runs.
        warnings: what a reader must be told once.
    """

    network: Network
    prepared: Prepared
    images: Images
    settings: Settings
    parts: tuple[Planned, ...]
    sites: tuple[Site, ...]
    hidden: str | None
    order: Int[Tensor, " image"]
    labels: Int[Tensor, " image"] | None
    names: tuple[str, ...]
    groups: Groups
    n_outputs: int
    scores: bool
    batch_size: int
    device: torch.device
    warnings: list[str] = field(default_factory=list)

    @property
    def keeps_outcomes(self) -> bool:
        """Whether outcomes.parquet is written: for class scores, and for no more rows than a disk likes."""
        return self.scores and len(self.order) * sum(len(part.magnitudes) for part in self.parts) <= MOST_OUTCOMES

    def configuration(self) -> dict[str, Any]:
        """The resolved choices, as plain values."""
        return {
            **self.settings.as_dict(),
            "transformations": {part.name: list(part.magnitudes) for part in self.parts},
            "group_classes": None if self.groups.seen is None else list(self.groups.seen),
        }

    def describe_images(self) -> dict[str, Any]:
        """What run.json says of the images."""
        return {
            "spec": self.images.spec,
            "fingerprint": self.images.fingerprint,
            "n": len(self.order),
            "skipped": self.prepared.n_skipped,
            "skipped_files": [list(map(str, entry)) for entry in self.prepared.skipped[:100]],
            "classes": list(self.images.classes or ()),
            "size": [self.prepared.height, self.prepared.width],
            "labelled": self.labels is not None,
        }

    def as_dict(self) -> dict[str, Any]:
        """All that decides the numbers: two runs with equal plans give equal tables."""
        settings = {name: value for name, value in self.settings.as_dict().items() if name != "memory"}
        return {
            "version": invariscope.__version__,
            "network": self.network.fingerprint,
            "recipe": repr(self.network.recipe),
            "images": self.images.fingerprint,
            "n": len(self.order),
            "settings": settings,
            "batch_size": self.batch_size,
            "transformations": [[repr(part.transformation), list(part.magnitudes)] for part in self.parts],
            "names": list(self.names),
            "labels": None if self.labels is None else self.labels.tolist(),
            "seen": self.groups.seen,
        }


def make_plan(
    network: Network,
    prepared: Prepared,
    images: Images,
    settings: Settings,
    transformations: str | Sequence[str | Transformation] | Mapping[str, Sequence[float | int]] | None,
    magnitudes: Sequence[str],
    group_classes: Sequence[str] | str | Path | None,
    class_names: Sequence[str] | str | Path | None,
    device: torch.device,
) -> Plan:
    """Make every choice of a measurement, and refuse what cannot be measured.

    Raises:
        InvariscopeError: the network has no such layers, the images do not fit it, a magnitude is out of its span.
    """
    if not len(prepared):
        raise ImageError(f"{images.spec} holds no image that can be read ({prepared.n_skipped} were skipped).")
    sites = find_sites(network, prepared.batch(torch.arange(1), device))
    chosen = select_sites(sites, settings.layers)
    if not chosen:
        raise NetworkError(f"{network.spec} has no units to measure; name sites with --layers (`invariscope layers`).")
    n_outputs = sites[-1].shape[0] if len(sites[-1].shape) == 1 else sites[-1].units
    scores = len(sites[-1].shape) == 1 and n_outputs > 1
    warnings = [*network.notes, *prepared.notes]
    labels, names = None, tuple(str(index) for index in range(n_outputs))
    if scores:
        matching = match_labels(prepared, network, n_outputs, read_lines(class_names, "classes"))
        labels, names = matching.labels, matching.names
        if matching.message:
            warnings.append(matching.message)
    else:
        warnings.append("the network's output is no set of class scores: agreement is the cosine with the clean output")
    parts = tuple(_parts(transformations, magnitudes, network, prepared))
    idle = _without_effect(parts, prepared, device)
    if idle:
        warnings.append(f"{', '.join(idle)} change nothing in these images, so that every unit is invariant to them.")
    order = torch.randperm(len(prepared), generator=torch.Generator().manual_seed(settings.seed))
    if labels is not None:
        labels = labels[order]
    seen = read_lines(group_classes, "group-classes") or (network.seen if labels is not None else None)
    plan = Plan(
        network=network,
        prepared=prepared,
        images=images,
        settings=settings,
        parts=parts,
        sites=tuple(chosen),
        hidden=_hidden(sites),
        order=order,
        labels=labels,
        names=names,
        groups=make_groups(len(order), labels, names, seen),
        n_outputs=n_outputs,
        scores=scores,
        batch_size=_even(settings.batch_size) or choose_batch_size(prepared.height, prepared.width, device),
        device=device,
        warnings=warnings,
    )
    if scores and not plan.keeps_outcomes:
        warnings.append(
            f"what was predicted for every single image is not kept, being more than {MOST_OUTCOMES:,} rows: "
            "`compare` then knows each run's own intervals alone."
        )
    return plan


def _parts(
    transformations: str | Sequence[str | Transformation] | Mapping[str, Sequence[float | int]] | None,
    magnitudes: Sequence[str],
    network: Network,
    prepared: Prepared,
) -> list[Planned]:
    parts = []
    for transformation, grid in select_transformations(transformations, magnitudes):
        filled = _filled(transformation, network.recipe.fill)
        height, width = prepared.height, prepared.width
        wanted = filled.default_grid(height, width) if grid is None else tuple(grid)
        filled.check_magnitudes(wanted, (height, width))
        parts.append(Planned(filled, tuple(sorted({*map(float, wanted), float(filled.identity)}))))
    return parts


def _filled(transformation: Transformation, fill: tuple[float, ...]) -> Transformation:
    """With the network's mean for what comes in from outside, which then looks like nothing, unless one was chosen."""
    if isinstance(transformation, Chain):
        return Chain(*((_filled(step.transformation, fill), step.magnitude) for step in transformation.steps))
    usual = {one.name: one.default for one in fields(transformation)}.get("fill")
    return transformation.with_fill(fill) if getattr(transformation, "fill", None) == usual else transformation


def _without_effect(parts: Sequence[Planned], prepared: Prepared, device: torch.device) -> list[str]:
    """Transformations that leave the first images as they are at both ends of the grid: colour on grey images."""
    images = prepared.batch(torch.arange(min(2, len(prepared))), device)
    seeds = torch.arange(len(images), device=device)
    idle = []
    for part in parts:
        ends = {part.magnitudes[0], part.magnitudes[-1]} - {part.transformation.identity}
        moved = [part.transformation(images, magnitude, seeds=seeds) for magnitude in ends]
        if moved and all(torch.allclose(one, images, atol=1e-6) for one in moved):
            idle.append(part.name)
    return idle


def _hidden(sites: Sequence[Site]) -> str | None:
    site = last_hidden_site(list(sites))
    return None if site.kind == "output" else site.name


def _even(batch_size: int | None) -> int | None:
    # The null pairs neighbours in processing order, which must lie in one batch where responses are streamed.
    return None if batch_size is None else batch_size + batch_size % 2
