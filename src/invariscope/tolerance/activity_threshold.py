"""The activity threshold τ of a layer of a network, chosen by ablation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int
from numpy import ndarray
from torch import Tensor, nn

from invariscope.core.errors import ImageError, NetworkError, SettingError
from invariscope.core.names import unknown
from invariscope.images.images import Images
from invariscope.images.labels import Matching, match_labels
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.networks.sites import find_sites
from invariscope.responses.recorder import Strength
from invariscope.tolerance.activity import TAUS, accuracy_curves, activity_thresholds, silence_by_activity
from invariscope.tolerance.passes import BATCH_SIZE, Shown, find_layer
from invariscope.tolerance.resample import REPLICATES
from invariscope.tolerance.silencing import Reading
from invariscope.tolerance.tau import Choice, check_choice, choose_tau
from invariscope.transformations.base import TRANSFORMATIONS, Transformation


@dataclass(frozen=True, eq=False)
class ActivityThreshold(Choice):
    """The activity threshold of a layer, and how it was found.

    Attributes:
        layer: the site whose units were silenced.
        decided_by: which images chose: "within" (transformed images of the classes seen transformed) or
            "transformed" (all of them, where no class is known to be seen).
        curve: accuracy by images ("clean", "transformed", and "within" and "across" where known), tau and silenced
            ("inactive" or "active"): the columns of `accuracy_curves`.
    """

    layer: str = ""
    decided_by: str = "transformed"
    curve: pd.DataFrame | None = None


def activity_threshold(
    network: Network | nn.Module,
    images: Images | Prepared,
    transformation: str | Transformation,
    magnitude: float,
    layer: str | None = None,
    drop: float = 0.01,
    *,
    taus: Sequence[float] = TAUS,
    seen: Sequence[str] | None = None,
    units: str = "channels",
    reduce: str = "max",
    negative: str | None = None,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> ActivityThreshold:
    """Find the fraction τ of its peak above which a unit's activity matters, by silencing everything below it.

    In every image, units with f(x) ≤ τ·peak are silenced, where the peak is the unit's largest activity for any image,
    clean or transformed. From 0 upwards τ is the last value before accuracy first falls by more than `drop`. Accuracy
    is the share of transformed images (of the classes that were seen transformed in training, where they are known)
    that are classified correctly; without labels, that keep their prediction.

    The network runs four times over the images, and what follows the layer runs twice for every τ: little after a last
    hidden layer, much after a first one, for which `images.limit(500)` may do.

    Args:
        network: computes where its weights are.
        images: what it is shown.
        transformation: its name, or the transformation.
        magnitude: in its unit of measure.
        layer: a site, as `invariscope layers` names it; None is the last hidden one.
        drop: the accuracy that may be lost; 0.01 is one percentage point.
        taus: the values to try, in ascending order; 0 to 1, 1 excluded.
        seen: names of the classes seen transformed; None: what the network knows of its training.
        units: "channels" or "positions".
        reduce: "max", "mean" or "centre": a channel's activity from its positions. All of the channel is silenced.
        negative: "rectify" or "abs" makes activity of negative responses; without it they are refused.
        batch_size: images per forward pass.
        seed: of a random transformation, of the halves of the images and of the bootstrap.
        replicates: of the bootstrap over images; 0 leaves intervals out (NaN).

    Returns:
        `.tau`; `.tau_last`, the largest value that passes anywhere; `.curve`; `.cost_held_out`, the accuracy lost by
        half of the images when the others choose; `.message`, where there is something to say.

    Raises:
        LayerError: no such layer, nothing after it, or its activity is negative.
        NetworkError: the outputs are no class scores.
        ImageError: there are no images, or their labels do not fit the network.
        UnknownNameError: no transformation has that name.
        MagnitudeError: the magnitude lies outside the transformation's limits.
        SettingError: a setting has no such value.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(2, 2, bias=False))
        >>> network[2].weight = nn.Parameter(torch.eye(2))
        >>> pixels = torch.tensor([[1.0, 0.0], [0.4, 0.1], [0.0, 1.0], [0.1, 0.4]]).reshape(4, 1, 1, 2)
        >>> images = Images(pixels, [0, 0, 1, 1], ["left", "right"])
        >>> found = activity_threshold(network, images, "gain", 0.5, layer="1", taus=[0.0, 0.1, 0.15, 0.3])
        >>> found.tau
        0.15

    Source: Jang et al., section 3.2 and appendix D, figure 7.
    """
    check_choice(taus, drop)
    network = as_network(network)
    family = TRANSFORMATIONS[transformation]() if isinstance(transformation, str) else transformation
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    if not len(prepared):
        raise ImageError("there are no images to choose tau on.")
    family.check_magnitudes([magnitude], (prepared.height, prepared.width))
    site = find_layer(network, prepared, layer)
    matching = _match(network, prepared)
    shown = Shown(network, prepared, site, Reading(site.layout, units, reduce, negative), batch_size)
    strengths = {"clean": None, "transformed": Strength(family.with_fill(network.recipe.fill), magnitude, seed)}
    thresholds = activity_thresholds(shown.peak(list(strengths.values())), taus)
    found = {
        name: silence_by_activity(shown.tails(strength), thresholds, matching.labels, shown.reading)
        for name, strength in strengths.items()
    }
    keep = np.ones(len(prepared), dtype=bool)
    groups = {"clean": (found["clean"], keep), "transformed": (found["transformed"], keep)}
    of_seen = _of_seen(matching, network.seen if seen is None and matching.labels is not None else seen)
    if of_seen is not None:
        groups |= {"within": (found["transformed"], of_seen), "across": (found["transformed"], ~of_seen)}
    curves = [
        accuracy_curves(one.of(mask), taus, replicates=replicates, seed=seed).assign(images=name)
        for name, (one, mask) in groups.items()
    ]
    decided_by = "transformed" if of_seen is None else "within"
    one, mask = groups[decided_by]
    labels = None if matching.labels is None else matching.labels[torch.from_numpy(mask)]
    choice = choose_tau(one.of(mask), taus, labels, drop=drop, seed=seed, replicates=replicates)
    curve = pd.concat(curves, ignore_index=True)
    curve.insert(0, "images", curve.pop("images"))
    return ActivityThreshold(**vars(choice), layer=site.name, decided_by=decided_by, curve=curve)


def _match(network: Network, images: Prepared) -> Matching:
    output = find_sites(network, images.batch([0], network.device))[-1]
    if len(output.shape) != 1 or output.units < 2:
        raise NetworkError(
            f"accuracy needs class scores, (image, class); {network.spec} returns {output.shape} an image."
        )
    return match_labels(images, network, output.units)


def _of_seen(matching: Matching, seen: Sequence[str] | None) -> Bool[ndarray, " image"] | None:
    """Images of the seen classes, or None where these are unknown."""
    if seen is None:
        return None
    if matching.labels is None:
        raise SettingError("seen classes need labelled images: their class decides whether they were seen.")
    lost = [name for name in seen if name not in matching.names]
    if lost:
        raise SettingError(unknown("class", lost[0], matching.names))
    places: Int[Tensor, " class"] = torch.tensor([matching.names.index(name) for name in seen], dtype=torch.int64)
    return np.asarray(torch.isin(matching.labels, places).numpy())
