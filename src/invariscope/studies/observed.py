"""What a study sees of one trained network: its responses to test images, clean and transformed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.measures.base import Measure
from invariscope.measures.evaluate import evaluate
from invariscope.measures.goodfellow import Goodfellow
from invariscope.measures.invariance import Invariance
from invariscope.measures.specialization import Specialization
from invariscope.networks.network import Network
from invariscope.networks.sites import Site, find_sites, last_hidden_site, select_sites
from invariscope.networks.tap import tap
from invariscope.networks.units import reduce_units
from invariscope.responses.pair import Pair
from invariscope.responses.recorder import Strength
from invariscope.responses.reference import Reference
from invariscope.runs.groups import Groups, make_groups
from invariscope.statistics.derangement import derangement
from invariscope.statistics.top_share import top_share_threshold
from invariscope.studies.tidy import Row
from invariscope.training.sets import Sets

_BATCH = 256
_FIRING = 0.01


@dataclass(frozen=True)
class Observed:
    """A trained network beside its test images.

    Args:
        network: in evaluation mode; its `seen` names the classes that it saw transformed.
        sets: its images.
        strength: the transformation that it saw, as test images get it.
        tau: activity that counts as active, as a fraction of a unit's peak.
        layer: name of the site to look at; None is the last hidden one.
        row: `transformation`, `magnitude`, `k`, `n_classes`, `seed`, and accuracies, as `train_network` found them.
        history: one row per epoch.
    """

    network: Network
    sets: Sets
    strength: Strength
    tau: float = 0.1
    layer: str | None = None
    row: Row = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)

    @cached_property
    def sites(self) -> list[Site]:
        """All sites of the network, in order of execution."""
        return find_sites(self.network, self.sets.test.batch([0], self.network.device))

    @property
    def site(self) -> Site:
        """The site to look at."""
        return last_hidden_site(self.sites) if self.layer is None else select_sites(self.sites, self.layer)[0]

    @property
    def labels(self) -> Int[Tensor, " image"]:
        """The test images' classes, as indices of the network's outputs."""
        return self.sets.test_labels

    @cached_property
    def groups(self) -> Groups:
        """All test images, those of classes seen transformed in training, and those of the others."""
        return make_groups(len(self.sets.test), self.labels, self.sets.classes, self.network.seen or ())

    def pairs(
        self,
        sites: Sequence[Site],
        strength: Strength | None = None,
        places: Mapping[str, Int[Tensor, " unit"]] | None = None,
    ) -> dict[str, Pair]:
        """Responses of the units of several sites to all test images, clean and transformed, in one pass.

        Args:
            sites: of `sites`.
            strength: how images are transformed; None is as in training.
            places: by site, which positions are the units; None makes every channel one.

        Returns:
            By site; `other` holds the transformed responses of each image's partner in a derangement.
        """
        layouts = {site.name: site.layout for site in sites}
        kept: dict[str, list[Float[Tensor, "image unit"]]] = {name: [] for name in layouts}

        def keep(name: str, activation: Tensor) -> None:
            if places is None:
                kept[name].append(reduce_units(activation, layouts[name]))
            else:
                kept[name].append(reduce_units(activation, layouts[name], "positions")[:, places[name]])

        with torch.inference_mode(), tap(self.network, list(layouts), keep):
            for indices, batch in self.sets.test.batches(_BATCH, self.network.device):
                self.network(batch)
                self.network((strength or self.strength)(batch, indices))
        partner = derangement(len(self.sets.test), seed=0)
        pairs = {}
        for name, responses in kept.items():
            clean, transformed = torch.cat(responses[0::2]), torch.cat(responses[1::2])
            pairs[name] = Pair(clean, transformed, None if partner is None else transformed[partner])
        return pairs

    def predictions(self, strength: Strength | None) -> Int[Tensor, " image"]:
        """The class that the network says for every test image.

        Args:
            strength: how images are transformed; None leaves them clean.
        """
        said = []
        with torch.inference_mode():
            for indices, batch in self.sets.test.batches(_BATCH, self.network.device):
                images = batch if strength is None else strength(batch, indices)
                said.append(self.network(images).argmax(1).cpu())
        return torch.cat(said)

    def units(self, pair: Pair, measures: Sequence[Measure] | None = None) -> pd.DataFrame:
        """The measures of every unit, for each group of test images.

        Args:
            pair: of `pairs`.
            measures: which; None is invariance, specialization and Goodfellow's.

        Returns:
            A row per group and unit: `group`, `unit`, and the measures' columns; NaN where a unit is never active.
        """
        found = evaluate(
            pair,
            reference_of(pair, self.tau),
            self.groups.weights,
            [Invariance(), Specialization(), Goodfellow()] if measures is None else measures,
        )
        frames = []
        for place, group in enumerate(self.groups.names):
            columns = {name: values[place].cpu().numpy() for name, values in found.items()}
            frames.append(pd.DataFrame({"group": group, "unit": range(pair.clean.shape[1]), **columns}))
        return pd.concat(frames, ignore_index=True)


def reference_of(pair: Pair, tau: float) -> Reference:
    """What is known of the units over all test images; the peak is one for all groups.

    Args:
        pair: responses to all test images.
        tau: activity that counts as active, as a fraction of the peak.

    Source: Jang et al., section 2.2.
    """
    return Reference(
        peak=torch.maximum(pair.clean.amax(0), pair.transformed.amax(0)),
        clean_mean=pair.clean.mean(0),
        firing=top_share_threshold(pair.clean, _FIRING),
        scale=pair.clean.abs().amax(0),
        tau=tau,
    )
