"""The passes behind sensitivity: means of all layers, then every direction through the network, batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.progress import Progress, Silent
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.networks.sites import Site
from invariscope.networks.tap import tap
from invariscope.networks.watch import OUTPUT
from invariscope.tolerance.infinitesimal_flip import as_magnitudes, first_order_flips
from invariscope.tolerance.infinitesimal_passes import Found, Push
from invariscope.tolerance.infinitesimal_sums import Means, Reduction, Table
from invariscope.tolerance.infinitesimal_tangents import (
    moves_places,
    random_phase,
    seeds_for,
    tangent_at_identity,
    velocity,
    white_noise,
)
from invariscope.tolerance.infinitesimal_upstream import IMAGE
from invariscope.tolerance.outputs import check_finite
from invariscope.transformations.base import Transformation

NOISE = "noise"


class Direction(NamedTuple):
    """A change of the images of one batch.

    Attributes:
        what: "change" along a transformation, or "phase" or "noise", random ones.
        name: of the transformation; "" for noise.
        tangent: shape of the images.
        field: where each pixel is read, for what only moves places; shape (image, 2, height, width).
    """

    what: str
    name: str
    tangent: Tensor
    field: Tensor | None = None


@dataclass
class Work:
    """Measures one network.

    Args:
        network: on its device.
        images: at its size.
        families: the transformations, filled as they shall be.
        sites: where to read, the output among them, the image first.
        push: carries directions through the network.
        batch_size: images per pass.
        together: directions per pass, at most.
        phase: whether directions of random phase are carried along, one per transformation.
        units: whether sums per unit are kept.
        seed: of noise.
        progress: told of every image.
        table: is filled.
    """

    network: Network
    images: Prepared
    families: Sequence[Transformation]
    sites: Sequence[Site]
    push: Push
    batch_size: int
    together: int
    phase: bool
    units: bool
    seed: int
    progress: Progress = field(default_factory=Silent)
    table: Table = field(init=False)

    def __post_init__(self) -> None:
        self.table = Table(len(self.images))

    def run(self) -> Table:
        """All passes."""
        self.progress.start("images", 2 * len(self.images))
        reduction = Reduction({site.name: site for site in self.sites}, self._means(), self.units)
        for rows, indices, batch in self._batches():
            directions = list(self._directions(batch, indices))
            for one in directions:
                if one.what == "change":
                    self.table.put(rows, ("size", one.name, ""), one.tangent.double().square().mean((1, 2, 3)).sqrt())
            moving = [one for one in directions if one.field is not None]
            plain = [one for one in directions if one.field is None]
            chunks = [
                group[start : start + self.together]
                for group in (plain, moving)
                for start in range(0, len(group), self.together)
            ]
            for number, chunk in enumerate(chunks):
                self._carry(rows, batch, chunk, replace(reduction, spread=number == 0))
            self.progress.advance(len(indices))
        return self.table

    def _batches(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        start = 0
        for indices, batch in self.images.batches(self.batch_size, self.network.device):
            yield slice(start, start + len(indices)), indices, batch
            start += len(indices)

    def _means(self) -> dict[str, Tensor]:
        means, names = Means(), [site.name for site in self.sites]
        with torch.no_grad(), tap(self.network, names, means.add):
            for _, indices, batch in self._batches():
                means.add(IMAGE, batch)
                check_finite(self.network(batch).flatten(1), "clean images")
                means.count += len(indices)
                self.progress.advance(len(indices))
        # In float64 only where the network computes so: other devices than the CPU may not have it.
        dtype = torch.promote_types(self.network.dtype, torch.float32)
        return {name: means.of(name).to(dtype).to(self.network.device) for name in names}

    def _directions(self, batch: Tensor, indices: Int[Tensor, " image"]) -> Iterator[Direction]:
        """Those along which any image of the batch changes; noise is always one, and comes first."""
        yield Direction(NOISE, "", white_noise(batch, indices, self.seed))
        for family in self.families:
            seeds = seeds_for(family, indices.to(batch.device), self.seed)
            tangent = tangent_at_identity(family, batch, seeds)
            if not tangent.any():
                continue
            own = None
            if moves_places(family):
                own = velocity(family, batch, seeds).expand(len(batch), -1, -1, -1)
            yield Direction("change", family.name, tangent, own)
            if self.phase:
                yield Direction("phase", family.name, random_phase(tangent, indices, self.seed))

    def _carry(self, rows: slice, batch: Tensor, chunk: Sequence[Direction], reduction: Reduction) -> None:
        tangents = torch.stack([one.tangent for one in chunk])
        fields = None if chunk[0].field is None else torch.stack([one.field for one in chunk if one.field is not None])
        names = [site.name for site in self.sites if site.name != IMAGE]
        found = self.push(self.network, batch, tangents, fields, names, reduction)
        for place, one in enumerate(chunk):
            own = None if fields is None else fields[place]
            at: Found = {IMAGE: reduction(IMAGE, batch, one.tangent, own)}
            at |= {site: {name: values[place] for name, values in named.items()} for site, named in found.items()}
            self._keep(rows, one, at)
            if reduction.spread and place == 0:
                self._keep_spread(rows, at)
                for family in self.families:  # what a direction says later overwrites that nothing changes
                    self._flips(rows, family.name, at[OUTPUT]["value"], torch.zeros_like(at[OUTPUT]["value"]))

    def _keep(self, rows: slice, one: Direction, at: Found) -> None:
        for site, named in at.items():
            self.table.put(rows, (one.what, one.name, site), named["change"])
            for name in {"inner", "moved", "shared"} & named.keys():
                self.table.put(rows, (name, one.name, site), named[name])
            if self.units and one.what != NOISE:
                self.table.add((f"unit_{one.what}", one.name, site), named["unit_change"])
        if one.what == "change":
            self._flips(rows, one.name, at[OUTPUT]["value"], at[OUTPUT]["tangent"])

    def _keep_spread(self, rows: slice, at: Found) -> None:
        for site, named in at.items():
            self.table.put(rows, ("spread", "", site), named["spread"])
            if self.units:
                self.table.add(("unit_spread", "", site), named["unit_spread"])

    def _flips(self, rows: slice, name: str, logits: Float[Tensor, "image ..."], change: Tensor) -> None:
        if logits.ndim != 2 or logits.shape[1] < 2:
            return
        family = next(each for each in self.families if each.name == name)
        found = as_magnitudes(first_order_flips(logits, change), family, self.images.height, self.images.width)
        for column, values in found.items():
            self.table.put(rows, (column, name, ""), values)
