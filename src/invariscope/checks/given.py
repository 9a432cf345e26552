"""What a check begins with: the network, the images and the contract, found to fit each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from invariscope.checks.contract import Contract
from invariscope.checks.shown import Show
from invariscope.checks.terms import Term, check_classes, find_terms
from invariscope.core.errors import ImageError, SettingError
from invariscope.core.progress import Progress
from invariscope.images.images import Images
from invariscope.images.load import load_images
from invariscope.images.prepared import Prepared
from invariscope.networks.load import load_network
from invariscope.networks.network import Network, as_network
from invariscope.runs.device import choose_batch_size, choose_device
from invariscope.runs.groups import read_lines
from invariscope.tolerance.outputs import ALL, distinct


@dataclass(frozen=True)
class Given:
    """A check that can begin.

    Args:
        contract: what is required.
        terms: the same, with its transformations.
        network: on its device.
        images: where they came from.
        prepared: the images at the network's size.
        show: asks the network.
        replicates: of the bootstrap.
        settings: for the contract's table [check]: the network, the images and what they need, where they have names.
        configuration: all that decides the numbers, besides the contract.
        warnings: what a reader must be told.
    """

    contract: Contract
    terms: list[Term]
    network: Network
    images: Images
    prepared: Prepared
    show: Show
    replicates: int
    settings: dict[str, Any]
    configuration: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


def load_given(
    contract: Contract,
    *,
    network: Network | nn.Module | Callable[..., Any] | str | None,
    images: Images | str | Path | None,
    class_names: Sequence[str] | str | Path | None,
    limit: int | None,
    seed: int,
    batch_size: int | None,
    replicates: int,
    strict: bool,
    device: str,
    cache: str | Path | None,
    progress: Progress,
) -> Given:
    """Load a network and images, and find everything that the contract names.

    Raises:
        InvariscopeError: one of them cannot be had, or they do not fit each other.
    """
    for what, value in (("network", network), ("images", images)):
        if value is None:
            raise SettingError(
                f"no {what} {'is' if what == 'network' else 'are'} given; name {what} on the command line, or as "
                f"{what} in the table [check] of the contract."
            )
    if replicates < 20:
        raise SettingError(f"replicates takes 20 or more; got {replicates}.")
    if batch_size is not None and batch_size < 1:
        raise SettingError(f"batch-size takes 1 or more; got {batch_size}.")
    if seed < 0:
        raise SettingError(f"seed takes a whole number, 0 or more; got {seed}.")
    where = choose_device(device)
    loaded = load_network(network) if isinstance(network, str) else as_network(network)
    pictures = load_images(str(images), strict=strict) if isinstance(images, str | Path) else images
    assert isinstance(pictures, Images)
    if limit is not None:
        pictures = pictures.limit(limit, seed)
    prepared = pictures.fit(loaded.recipe, cache=None if cache is None else Path(cache), strict=strict)
    if not len(prepared):
        raise ImageError(f"{pictures.spec} holds no image that can be read ({prepared.n_skipped} were skipped).")
    size = (prepared.height, prepared.width)
    terms = find_terms(contract, size, loaded.recipe.fill)
    batch = batch_size or choose_batch_size(*size, where)
    show = Show(loaded.to(where), prepared, seed, batch, where, read_lines(class_names, "classes"), progress)
    check_classes(contract, (*distinct(show.names), ALL) if show.scores else ())
    _check_qualities(contract, show)
    settings: dict[str, Any] = {"network": network, "images": str(images) if isinstance(images, Path) else images}
    settings |= {"class_names": class_names, "limit": limit, "seed": seed}
    message = [show.matching.message] if show.matching is not None and show.matching.message else []
    return Given(
        contract=contract,
        terms=terms,
        network=loaded,
        images=pictures,
        prepared=prepared,
        show=show,
        replicates=replicates,
        settings={name: value for name, value in settings.items() if isinstance(value, str | int)},
        configuration={
            "network": loaded.spec,
            "images": pictures.spec,
            "limit": limit,
            "seed": seed,
            "batch_size": batch,
            "replicates": replicates,
            "device": str(where),
            "fingerprints": [loaded.fingerprint, repr(loaded.recipe), pictures.fingerprint],
            "classes": list(show.names),
        },
        warnings=[*loaded.notes, *prepared.notes, *message],
    )


def _check_qualities(contract: Contract, show: Show) -> None:
    """Refuse qualities that these images and this network do not have: a gate must not check something else instead."""
    for place, requirement in enumerate(contract.requirements):
        if requirement.quality == "agreement":
            continue
        what = f"{contract.at(place)} asks for {requirement.quality}"
        advice = 'say quality = "agreement", which needs none'
        if not show.scores:
            raise SettingError(f"{what}, and the network returns no class scores; {advice}.")
        if show.labels is None:
            assert show.matching is not None
            raise SettingError(f"{what}, which needs labels; {advice}. {show.matching.message or ''}".rstrip())
