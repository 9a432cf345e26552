"""Which transformations a network ignores: learning a family of them, and certifying how far it goes."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor, nn

from invariscope.core.errors import ImageError, SettingError
from invariscope.core.names import unknown
from invariscope.core.progress import Progress, Silent
from invariscope.core.seeds import image_seeds, uniform
from invariscope.images.images import Images
from invariscope.images.prepared import Prepared
from invariscope.learned.certificate import Certified, certify, kept_predictions
from invariscope.learned.checkpoint import Keeper
from invariscope.learned.controls import grid
from invariscope.learned.examine import Examiner
from invariscope.learned.family import family_table, matrices, pixel_shifts
from invariscope.learned.files import save_transformer
from invariscope.learned.module import TransformerNet
from invariscope.learned.objective import Objective
from invariscope.learned.responses import make_objective
from invariscope.learned.settings import LearnSettings
from invariscope.learned.training import Training
from invariscope.networks.network import Network, as_network


@dataclass(frozen=True)
class Strength:
    """How large the transformations of a family are, at one scale.

    Args:
        displacement: mean over pixels and over the grid of k of how far a pixel is read from itself, in pixels.
        displacement_full: the same at k = (1, 1).
        colour: mean over the grid of k of ‖C − I‖_F; NaN without a colour head.
        colour_full: the same at k = (1, 1).
    """

    displacement: float
    displacement_full: float
    colour: float
    colour_full: float


@dataclass(frozen=True)
class Learned:
    """A learned family of transformations, and what is known of it.

    Args:
        module: the net: images and k in, images out.
        family: parameters over k at scale 1; columns k1, k2, head, part, parameter, value, unit_of_measure.
        history: a row per step: step, loss_HEAD, cross_entropy, accuracy, average, gate, open, open_share.
        certificate: a row per half ("choose", "certify"), scale and setting of k: scale, part, head, k1, k2, control,
            accuracy, low, high, n, clean, required.
        certified: the certified scale and what was found there.
        strength: how large the transformations are at the certified scale.
        kept: how many held-out images keep their prediction, by k and class, at scale 1 and at the certified one.
        settings: what was asked for.
        baseline: accuracy (or 1) on the clean training images; the gate is the settings' tolerance below it.
        message: what a person should be told, or None.
        held_out: places of the images that training did not see, in their set: those that chose, those that certified.
    """

    module: TransformerNet
    family: pd.DataFrame
    history: pd.DataFrame
    certificate: pd.DataFrame
    certified: Certified
    strength: Strength
    kept: pd.DataFrame
    settings: LearnSettings
    baseline: float
    message: str | None
    held_out: tuple[Int[Tensor, " chosen"], Int[Tensor, " certified"]]
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """The certified scale s; 0 is "nothing found"."""
        return self.certified.scale

    def family_at(self, scale: float) -> pd.DataFrame:
        """The family at another scale, as `family`."""
        return family_table(self.module, *self.size, self.settings.k_grid, scale)

    def save(self, path: str | Path) -> None:
        """Write the module, with settings and certified scale in the header, for `load_transformer`."""
        about = {"settings": dataclasses.asdict(self.settings), "scale": self.scale, "size": self.size}
        save_transformer(self.module, Path(path), about)


def learn_transformer(
    network: Network | nn.Module,
    images: Images | Prepared,
    settings: LearnSettings | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    held_out: Images | Prepared | None = None,
    examine_batch: int = 256,
    **options: Any,
) -> Learned:
    """Learn a family of transformations that a network ignores: the Invariant Transformer Net.

    A small net in front of the network transforms images by F(k), with control parameters k drawn uniformly from
    [0, 1]². While the moving average of the accuracy stays within a tolerance of its clean value, steps make F(k)
    differ more from the identity, the more the larger k; otherwise steps repair the accuracy. Afterwards
    F_s = I + s (F − I) is examined on images that training did not see, and the largest s that holds is certified.

    One seed gives the same bits on a processor, interrupted or not; on a GPU the gradient of reading between pixels
    adds up in any order.

    Args:
        network: computes where its weights are; its weights stay as they are.
        images: to learn from.
        settings: how; None is the default.
        seed: decides first weights, order of images, k, and which images are held out.
        progress: told of the steps.
        checkpoint: NAME.safetensors; an interrupted training goes on from it to the same bits.
        held_out: images for the certificate; None holds a share of `images` out.
        examine_batch: images per pass where nothing is trained; does not change results beyond rounding.
        options: single settings by name; they win over `settings`.

    Returns:
        `.module`, `.family`, `.history`, `.certificate`, `.scale`, `.kept` and more.

    Raises:
        SettingError: a setting that there is not, or that cannot be.
        NetworkError: the outputs are no class scores where they are needed, or the loss is no longer a number.
        LayerError: there is no such layer or unit, or nothing drives it.
        ImageError: there are too few images, or their labels do not fit the network.

    Example:
        >>> class Red(nn.Module):
        ...     def forward(self, images):
        ...         red = images[:, 0].mean((1, 2))
        ...         return torch.stack([red, 1 - red], 1) * 20
        >>> images = Images(np.random.default_rng(0).random((40, 3, 4, 4), np.float32))
        >>> found = learn_transformer(Red(), images, steps=3, target="agreement", scales=(0.5, 1.0), holdout=0.5)
        >>> found.family["head"].unique().tolist(), len(found.history)
        (['colour', 'spatial'], 3)

    Source: Bunne et al., §III.D, §IV.B; anchor, moving average, closed form and certificate are ours.
    """
    network, settings = as_network(network), _settings(settings, options)
    how = settings.effective
    prepared = _fitted(images, network)
    objective = make_objective(network, prepared, how, examine_batch)
    if held_out is None:
        training, choosing, certifying = _split(objective, settings, seed)
        tested, judge = prepared, objective
    else:
        tested = _fitted(held_out, network)
        judge = make_objective(network, tested, how, examine_batch)
        training = objective.places
        choosing, certifying = _halves(judge.places, seed)
    net = TransformerNet(
        tuple(how.heads),
        prepared.channels,
        fill=network.recipe.fill if how.fill is None else how.fill,
        interpolation=how.interpolation,
        kernel_size=how.kernel_size,
        kernel_sum=how.kernel_sum,
        control_points=how.control_points,
        anchor=how.anchor,
        start=how.start,
        init_std=how.init_std,
        seed=seed,
    ).to(network.device)
    about = {"settings": dataclasses.asdict(settings), "seed": seed, "network": network.fingerprint}
    keeper = Keeper(checkpoint, about | {"images": _mark(prepared, training)})
    course = Training(net, network, prepared, objective, training, how, seed)
    course.run(keeper, progress)
    net.requires_grad_(False)

    watching = progress or Silent()
    watching.start("certifying", _questions(len(choosing), len(certifying), settings))
    proposing = Examiner(net, network, tested, judge, choosing, examine_batch, watching)
    confirming = Examiner(net, network, tested, judge, certifying, examine_batch, watching)
    certified = certify(proposing, confirming, net.heads, settings)
    classes = None if judge.classes is None else [judge.classes[place] for place in certifying.tolist()]
    scales = sorted({certified.scale, 1.0})
    learned = Learned(
        module=net,
        family=family_table(net, prepared.height, prepared.width, settings.k_grid),
        history=_history(course.history),
        certificate=certified.table,
        certified=certified,
        strength=strength_of(net, prepared.height, prepared.width, certified.scale, settings.k_grid),
        kept=kept_predictions(confirming, net.heads, settings, scales, classes),
        settings=settings,
        baseline=course.baseline,
        message=objective.message,
        held_out=(choosing, certifying),
        size=(prepared.height, prepared.width),
    )
    keeper.remove()
    return learned


def strength_of(net: TransformerNet, height: int, width: int, scale: float, size: int = 5) -> Strength:
    """How far the transformations of a net go at a scale.

    Args:
        net: trained.
        height: of the images, in pixels.
        width: of the images, in pixels.
        scale: s.
        size: values of each component of k; all heads that move pixels share k.
    """
    pairs = grid(size)
    moving = {
        head: torch.from_numpy(matrices(net, head, pairs, scale) - net.identity(head).double().numpy())
        for head in net.heads
        if head in ("spatial", "displacement")
    }
    lengths = np.zeros(len(pairs))
    if moving:
        lengths = np.linalg.norm(pixel_shifts(net, moving, height, width), axis=-1).mean((1, 2))
    colours = np.full(len(pairs), np.nan)
    if "colour" in net.heads:
        deviations = matrices(net, "colour", pairs, scale) - net.identity("colour").double().numpy()
        colours = np.linalg.norm(deviations, axis=(1, 2))
    return Strength(float(lengths.mean()), float(lengths[-1]), float(colours.mean()), float(colours[-1]))


def _settings(settings: LearnSettings | None, options: dict[str, Any]) -> LearnSettings:
    known = [field.name for field in dataclasses.fields(LearnSettings)]
    for name in options:
        if name not in known:
            raise SettingError(unknown("setting of learn_transformer", name, known))
    return dataclasses.replace(settings or LearnSettings(), **options)


def _fitted(images: Images | Prepared, network: Network) -> Prepared:
    return images.fit(network.recipe) if isinstance(images, Images) else images


def _split(objective: Objective, settings: LearnSettings, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Training places, and two halves of the held-out ones."""
    places, n = objective.places, len(objective.places)
    wanted = settings.holdout
    count = round(wanted * n) if wanted < 1 else int(wanted)
    if not 2 <= count < n:
        raise ImageError(
            f"{n} images cannot be split into {n - count} to learn from and {count} to hold out; "
            "at least 1 and 2 are needed: give more images or another holdout."
        )
    shuffled = places[uniform(image_seeds(torch.arange(n), seed, "learn/holdout"), ()).argsort(stable=True)]
    return shuffled[count:].sort().values, *_cut(shuffled[:count])


def _halves(places: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    if len(places) < 2:
        raise ImageError(f"a certificate needs 2 or more held-out images; got {len(places)}.")
    return _cut(places[uniform(image_seeds(places, seed, "learn/halves"), ()).argsort(stable=True)])


def _cut(shuffled: Tensor) -> tuple[Tensor, Tensor]:
    middle = len(shuffled) // 2
    return shuffled[:middle].sort().values, shuffled[middle:].sort().values


def _mark(images: Prepared, places: Tensor) -> str:
    """A hash that tells one set of training images from another."""
    digest = hashlib.blake2b(repr((len(images), images.height, images.width, places.tolist())).encode(), digest_size=16)
    some = places[:: max(len(places) // 64, 1)]
    digest.update(images.batch(some).numpy().tobytes())
    return digest.hexdigest()


def _questions(choosing: int, certifying: int, settings: LearnSettings) -> int:
    """About how many images will be asked about."""
    per_scale = settings.k_grid**2
    return len(settings.scales) * per_scale * choosing + 8 * per_scale * certifying


def _history(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table["open_share"] = table["open"].expanding().mean()
    return table
