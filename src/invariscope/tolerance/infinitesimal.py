"""How sensitive every layer is to small transformations, and where sensitivity is created and removed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import nn

from invariscope.core.errors import ImageError, SettingError
from invariscope.core.progress import Progress
from invariscope.core.words import listed, spoken
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.networks.network import Network, as_network
from invariscope.networks.sites import Site, find_sites, select_sites
from invariscope.networks.watch import OUTPUT
from invariscope.tolerance.infinitesimal_passes import choose_push
from invariscope.tolerance.infinitesimal_sums import Table
from invariscope.tolerance.infinitesimal_tables import Layer, Measured, layer_rows, measure_layers, unit_rows
from invariscope.tolerance.infinitesimal_tangents import grid_step, unit_of_derivative, white_noise
from invariscope.tolerance.infinitesimal_trends import trend_rows
from invariscope.tolerance.infinitesimal_upstream import IMAGE, nearest_before
from invariscope.tolerance.infinitesimal_work import Work
from invariscope.tolerance.resample import REPLICATES
from invariscope.transformations.base import Transformation
from invariscope.transformations.select import Names, select_transformations

_TRIED, _PIXELS, _MOST, _TOGETHER = 4, 400_000, 64, 8
_FLIPS = ("predicted", "margin", "margin_change", "output_change", "estimate", "above", "below")


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What `sensitivity` found.

    Attributes:
        layers: a row per transformation and layer, the image first (depth 0) and the output last. `sensitivity` with
            `low, high`, per `unit_of_measure`; `per_step`, the same per step of the default grid (`step`);
            `relative`, over that of the image; `gain`, over that of the layers `after` which it comes (the root mean
            square of theirs): above 1 sensitivity is created, below 1 removed; `noise` and `phase`, the sensitivity to
            random directions as long, and `selectivity_noise`, `selectivity_phase`, the sensitivity over these;
            `equivariance`, `explained`, `change_to_motion` of layers that are maps; columns `…_low, …_high`; `n`.
        trends: a row per transformation and quantity (`relative`, `selectivity_noise`, `selectivity_phase`,
            `equivariance`): its rank `correlation` with depth over the rectifying layers with `low, high`, the layer
            where it is `least`, and for the sensitivities in which share of the resamplings that layer is neither the
            first nor the last, `inside`.
        images: a row per transformation and image: `predicted`, `margin`, `margin_change`, `output_change`, and where
            straight lines would flip the prediction: `estimate`, `above`, `below`, distances from the identity in
            `unit_of_measure`.
        units: a row per transformation, layer and unit, `sensitivity` and `selectivity_phase`; None unless asked for.
        method: how directions were carried through the network: "batched" or "forward" (forward mode), "difference".
        notes: what a person should be told.
    """

    layers: pd.DataFrame
    trends: pd.DataFrame
    images: pd.DataFrame
    units: pd.DataFrame | None
    method: str
    notes: tuple[str, ...]


def sensitivity(
    network: Network | nn.Module,
    images: Images | Prepared,
    transformations: Names = None,
    *,
    layers: str | Sequence[str] = "activations",
    phase: bool = True,
    units: bool = False,
    method: str = "auto",
    batch_size: int | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Sensitivity:
    """Follow the derivative of every smooth transformation at its identity through all layers of a network.

    With a(x) the activation of a layer, t(x) = ∂a(T(x, m))/∂m at the identity, and ā the mean over images,

        s = √( Σ |t(x)|² / Σ |a(x) − ā|² ),

    sums over images: how much a layer changes per unit of m, in units of how much it differs between images; 0 where
    that is below 1e-5 of what white noise does, and so rounding. Directions are carried in forward mode, several at
    once; where a network does not allow it, as differences of two passes, which is told.

    Random directions tell invariance to a transformation from mere contraction: white noise, and noise that has the
    power spectrum of the transformation's own direction (`phase`), each as long as that direction in every image.

    In a layer that is a map of the plane, let u(x) be the derivative of the map's own motion under the same geometric
    transformation: `equivariance` = 1 − Σ|t − u|² / Σ|t|², 1 where the layer only moves along; `explained` is the same
    for the best multiple of u, (Σ t·u)² / (Σ|t|² Σ|u|²); `change_to_motion` = √(Σ|t|² / Σ|u|²), near 0 where the layer
    stands still. The outermost ring of the map does not count, nor do maps below 4 by 4.

    Args:
        network: computes where its weights are; in evaluation mode.
        images: what it is shown.
        transformations: names, or transformations; None is every smooth one that changes these images. Geometric ones
            are filled as in a measurement.
        layers: as for a measurement: "activations", "all", names and globs. The output always counts.
        phase: whether the directions of random phase are carried along, for about twice the time.
        units: whether the table of units is made: a channel or feature with all its positions is a unit.
        method: "auto", "batched", "forward" or "difference".
        batch_size: images per pass; None is as many as fit easily. Results do not depend on it beyond rounding.
        replicates: of the bootstrap over images.
        seed: of random transformations, noise and bootstrap.
        progress: told of every image, twice.

    Returns:
        `.layers`, `.trends`, `.images`, `.units`, `.method`, `.notes`.

    Raises:
        ImageError: there are no images.
        SettingError: a transformation has no derivative, or a setting cannot be used.
        NetworkError: the network cannot run, or returns what is not finite.
        LayerError: no layer has that name.
        UnknownNameError: no transformation has that name.

    Example:
        >>> linear = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
        >>> found = sensitivity(linear, Images(torch.rand(8, 1, 4, 4)), ["brightness"], phase=False, replicates=10)
        >>> found.layers["layer"].tolist(), found.method
        (['image', 'output'], 'batched')

    Source: the infinitesimal form of Bunne et al., section IV (tolerance), and of Lenc & Vedaldi's equivariance.
    """
    network = as_network(network)
    prepared = images.fit(network.recipe) if isinstance(images, Images) else images
    if not len(prepared):
        raise ImageError("there are no images to measure sensitivity on.")
    if batch_size is not None and batch_size < 1:
        raise SettingError(f"a batch has at least one image; got {batch_size}.")
    families = _smooth(transformations, network)
    few = torch.arange(min(_TRIED, len(prepared)))
    shown = prepared.batch(few, network.device)
    sites = _sites(network, shown, layers)
    push, chosen, notes = choose_push(network, shown, white_noise(shown, few, seed), method)
    size = batch_size or max(1, min(_MOST, _PIXELS // (prepared.height * prepared.width)))
    options = {} if progress is None else {"progress": progress}
    work = Work(network, prepared, families, sites, push, size, _TOGETHER, phase, units, seed, **options)
    table = work.run()
    idle = [family.name for family in families if not table.has("size", family.name, "")]
    if idle:
        notes = [*notes, f"{listed([spoken(name) for name in idle], 9)} changed none of these images to first order."]
    told = _layers(network, sites, shown)
    moving = [family for family in families if family.name not in idle]
    measured = [
        measure_layers(table, family.name, told, len(prepared), replicates=replicates, seed=seed) for family in moving
    ]
    return Sensitivity(
        _joined([_rows(one, family, prepared) for one, family in zip(measured, moving, strict=True)]),
        _joined([trend_rows(one) for one in measured]),
        _joined([_image_rows(table, family, prepared) for family in moving]),
        _joined([unit_rows(table, family.name, told) for family in moving]) if units else None,
        chosen,
        tuple(notes),
    )


def _smooth(names: Names, network: Network) -> list[Transformation]:
    every = [family.with_fill(network.recipe.fill) for family, _ in select_transformations(names)]
    rough = [family.name for family in every if not family.smooth]
    if rough and names is not None and names != "all":
        raise SettingError(
            f"{listed(rough)} {'has' if len(rough) == 1 else 'have'} no derivative in the magnitude; leave "
            f"{'it' if len(rough) == 1 else 'them'} out."
        )
    return [family for family in every if family.smooth]


def _sites(network: Network, shown: torch.Tensor, layers: str | Sequence[str]) -> list[Site]:
    found = find_sites(network, shown)
    chosen = {site.name for site in select_sites(found, layers)} | {OUTPUT}
    image = Site(IMAGE, IMAGE, "", tuple(shown.shape[1:]), "channels-first")
    return [image, *(site for site in found if site.name in chosen)]


def _layers(network: Network, sites: Sequence[Site], shown: torch.Tensor) -> list[Layer]:
    names = [site.name for site in sites]
    before = nearest_before(network, names[1:], shown)
    after = [(), *(tuple(names.index(each) for each in before[name]) for name in names[1:])]
    return [Layer(site.name, site.kind, places) for site, places in zip(sites, after, strict=True)]


def _rows(measured: Measured, family: Transformation, images: Prepared) -> pd.DataFrame:
    step = grid_step(family, images.height, images.width) ** family.power
    return layer_rows(measured, step, unit_of_derivative(family), len(images))


def _image_rows(table: Table, family: Transformation, images: Prepared) -> pd.DataFrame:
    if not table.has("predicted", family.name, ""):
        return pd.DataFrame()
    columns = {name: table.images(name, family.name, "") for name in _FLIPS}
    frame = pd.DataFrame({"transformation": family.name, "image": images.kept, **columns})
    return frame.astype({"predicted": "int64"}).assign(unit_of_measure=family.unit_of_measure)


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
