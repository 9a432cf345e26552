"""One site of a network that is shown images: its end to be run again, and how strongly its units are ever driven."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.errors import LayerError
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network
from invariscope.networks.sites import Site, find_sites, last_hidden_site, select_sites
from invariscope.networks.tail import Tail, record_tail
from invariscope.networks.tap import tap
from invariscope.responses.recorder import Strength
from invariscope.tolerance.silencing import Reading

BATCH_SIZE = 250


def find_layer(network: Network, images: Prepared, layer: str | None) -> Site:
    """The site of a name, or the last hidden one.

    Args:
        network: on its device.
        images: at the network's size; one is shown to it.
        layer: a name, as `find_sites` gives it; None is the last hidden site.

    Raises:
        LayerError: there is no such site, the name fits several, or the network has no hidden layer.
    """
    sites = find_sites(network, images.batch([0], network.device))
    if layer is not None:
        chosen = select_sites(sites, layer)
        if len(chosen) > 1:
            raise LayerError(f"{layer!r} names {len(chosen)} layers, and units are silenced in one; name one of them.")
    site = last_hidden_site(sites) if layer is None else chosen[0]
    if site.kind == "output":
        raise LayerError(f"{network.spec} has nothing after {site.name!r}, so that silencing its units tells nothing.")
    return site


@dataclass(frozen=True)
class Shown:
    """A network that is shown images, seen from one of its sites.

    Args:
        network: on its device.
        images: at the network's size.
        site: after which the network is run again.
        reading: how a unit's activity is read there.
        batch_size: images per forward pass.
    """

    network: Network
    images: Prepared
    site: Site
    reading: Reading
    batch_size: int = BATCH_SIZE

    def tails(self, strength: Strength | None = None) -> Iterator[Tail]:
        """The end of the network after the site, batch by batch, in the order of the images.

        Args:
            strength: how the images are transformed; None leaves them clean.
        """
        for batch in self._batches(strength):
            # Opened and closed here: held across the yield it would record what the reader computes.
            with record_tail(self.network, self.site.name) as recording:
                self.network(batch)
            yield from recording.tails

    def activity(self, strength: Strength | None = None) -> Float[Tensor, "image unit"]:
        """The units' activity for all images, on the CPU."""
        return torch.cat([part.cpu() for part in self._activity(strength)])

    def peak(self, strengths: Sequence[Strength | None]) -> Float[Tensor, " unit"]:
        """Each unit's largest activity for any image under any of the strengths.

        Args:
            strengths: None stands for clean images.

        Returns:
            Shape (unit,).

        Raises:
            LayerError: an activity is negative, or not a number.
        """
        high: Tensor | None = None
        for strength in strengths:
            for part in self._activity(strength):
                self._check(part)
                top = part.amax(0)
                high = top if high is None else torch.maximum(high, top)
        assert high is not None, "there are images"
        return high

    def _batches(self, strength: Strength | None) -> Iterator[Tensor]:
        for indices, batch in self.images.batches(self.batch_size, self.network.device):
            with torch.no_grad():
                shown = batch if strength is None else strength(batch, indices)
            yield shown

    def _activity(self, strength: Strength | None) -> Iterator[Float[Tensor, "image unit"]]:
        seen: list[Tensor] = []

        def keep(_name: str, activation: Tensor) -> None:
            # A view would show what is written into the activation later.
            seen.append(self.reading.activity(activation).clone())

        for batch in self._batches(strength):
            seen.clear()
            with torch.no_grad(), tap(self.network, [self.site.name], keep):
                self.network(batch)
            yield seen[0]

    def _check(self, activity: Tensor) -> None:
        if not bool(torch.isfinite(activity).all()):
            raise LayerError(f"layer {self.site.name!r} has NaN or infinite activity; check the network's weights.")
        if bool((activity < 0).any()):
            raise LayerError(
                f"layer {self.site.name!r} has negative activity (down to {float(activity.min()):.3g}), of which no "
                "fraction of the peak tells what is active; choose a layer after a rectification, or give "
                'negative="rectify" or "abs".'
            )
