"""Does invariance that is learned on some classes carry over to others?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.images.load import load_images
from invariscope.measures.evaluate import evaluate
from invariscope.measures.invariance import Invariance
from invariscope.measures.specialization import Specialization
from invariscope.networks.network import Network
from invariscope.networks.sites import find_sites, last_hidden_site
from invariscope.networks.tap import tap
from invariscope.networks.units import reduce_units
from invariscope.responses.pair import Pair
from invariscope.responses.recorder import Strength
from invariscope.responses.reference import Reference
from invariscope.runs.groups import make_groups
from invariscope.studies.base import STUDIES, Row, Study
from invariscope.training.loop import Schedule
from invariscope.training.sets import Sets, make_sets
from invariscope.training.settings import Training, with_options
from invariscope.training.train import fresh_network, train_network

_BATCH = 256


@STUDIES.add("across-category")
@dataclass(frozen=True)
class AcrossCategory(Study):
    """Does a network that sees k classes transformed recognise the other classes transformed, and by invariance?

    Networks are trained in the seen/unseen-transformed paradigm; each is measured at its own transformation and
    magnitude, in its last hidden layer.

    Args:
        images: specifier of the image set, which must have the options `split` and `seed`.
        network: specifier of the architecture.
        transformations: names and magnitudes.
        k: how many classes are seen transformed.
        seeds: each decides data, weights, seen classes, order, coins and noise.
        schedule: how long and how fast networks learn.
        tau: activity that counts as active, as a fraction of a unit's peak.

    Source: Jang et al., figures 2, 4 and 5.
    """

    source = "Jang et al., figures 2, 4 and 5"
    noun = "networks"

    images: str = "builtin:glyphs"
    network: str = "builtin:cnn"
    transformations: tuple[tuple[str, float], ...] = (("inversion", 1.0), ("rotation", 90.0))
    k: tuple[int, ...] = (1, 15, 30, 45, 54)
    seeds: tuple[int, ...] = (0,)
    schedule: Schedule = field(default_factory=lambda: Schedule(epochs=16))
    tau: float = 0.1

    def jobs(self) -> list[Row]:
        """One network per transformation, k and seed; the largest k last."""
        return [
            {"transformation": name, "magnitude": magnitude, "k": k, "seed": seed}
            for seed in self.seeds
            for k in self.k
            for name, magnitude in self.transformations
        ]

    def prepare(self) -> dict[int, Sets]:
        """The images of every seed."""
        return {seed: self.sets(seed) for seed in self.seeds}

    def sets(self, seed: int) -> Sets:
        """Training and test images of one seed, at the network's size."""
        train, test = (load_images(with_options(self.images, split=split, seed=seed)) for split in ("train", "test"))
        recipe = fresh_network(self.job("inversion", 1.0, 0, seed), train.n_classes).recipe
        return make_sets(train, test, recipe)

    def job(self, transformation: str, magnitude: float, k: int, seed: int) -> Training:
        """The training job of one condition."""
        return Training(self.network, transformation, magnitude, k, seed, self.schedule)

    def run(self, shared: Mapping[int, Sets], folder: Path, conditions: Row) -> Row:
        """Train one network, or find it in `folder`, and measure it.

        Args:
            shared: images by seed.
            folder: where networks are kept.
            conditions: `transformation`, `magnitude`, `k` and `seed`.

        Returns:
            The network's accuracies, and the means over the units of its last hidden layer of the invariance
            coefficient (images of seen classes, of unseen ones, of all) and of the absolute specialization.
        """
        job, sets = self.job(**conditions), shared[conditions["seed"]]
        trained = train_network(job, sets, folder)
        network = trained.network
        strength = Strength(job.make_transformation().with_fill(network.recipe.fill), job.magnitude, seed=0)
        return trained.row | last_hidden_layer(network, sets, strength, self.tau)


def last_hidden_layer(network: Network, sets: Sets, strength: Strength, tau: float) -> Row:
    """Mean invariance and absolute specialization of the last hidden layer's units, by group of test images.

    Args:
        network: in evaluation mode; its `seen` splits the images.
        sets: whose test images are shown, clean and transformed.
        strength: how they are transformed.
        tau: activity that counts as active, as a fraction of the peak, which is one for all groups.

    Returns:
        `layer`, `tau`, and `invariance_`, `specialization_` and `n_active_` for the groups all, seen and unseen:
        means over the units that are active at all; NaN where there is no image or no such unit.

    Source: Jang et al., equation 1 and figure 12.
    """
    site = last_hidden_site(find_sites(network, sets.test.batch([0], network.device)))
    pair = respond(network, sets, site.name, site.layout, strength)
    reference = Reference(
        peak=torch.maximum(pair.clean.amax(0), pair.transformed.amax(0)),
        clean_mean=pair.clean.mean(0),
        firing=pair.clean.amax(0),
        scale=pair.clean.abs().amax(0),
        tau=tau,
    )
    groups = make_groups(len(sets.test), sets.test_labels, sets.classes, network.seen or ())
    found = evaluate(pair, reference, groups.weights, [Invariance(), Specialization()])
    row: Row = {"layer": site.name, "tau": tau}
    for group in ("all", "seen", "unseen"):
        place = groups.names.index(group) if group in groups.names else None
        for column, values in (("invariance", found["invariance"]), ("specialization", found["specialization"].abs())):
            row[f"{column}_{group}"] = float("nan") if place is None else values[place].nanmean().item()
        active = 0 if place is None else int((found["n_active"][place] > 0).sum())
        row[f"n_active_{group}"] = active
    return row


def respond(network: Network, sets: Sets, site: str, layout: str, strength: Strength) -> Pair:
    """Responses of a site's units to all test images, clean and transformed."""
    responses: list[Float[Tensor, "image unit"]] = []

    def keep(name: str, activation: Tensor) -> None:
        responses.append(reduce_units(activation, layout))

    with torch.inference_mode(), tap(network, [site], keep):
        for indices, batch in sets.test.batches(_BATCH, network.device):
            network(batch)
            network(strength(batch, indices))
    return Pair(torch.cat(responses[0::2]), torch.cat(responses[1::2]))
