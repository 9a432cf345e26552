"""Carrying directions through a network: forward mode for many at once, for one, or differences of two passes."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from invariscope.core.errors import InvariscopeError, NetworkError, SettingError
from invariscope.core.names import unknown
from invariscope.networks.network import Network
from invariscope.networks.tap import tap
from invariscope.networks.watch import OUTPUT

METHODS = ("auto", "batched", "forward", "difference")
# Of the root mean square of an image's pixels: large against rounding in float32, small against most bends.
_SHARE = 1e-3
_ALIKE = 0.5


@runtime_checkable
class Reader(Protocol):
    """Reduces what is found at a site: name, activation, its derivative, and what else belongs to the direction."""

    def __call__(self, site: str, activation: Tensor, tangent: Tensor, field: Tensor | None) -> dict[str, Tensor]:
        """Small tensors by name."""


Found = dict[str, dict[str, Tensor]]
Push = Callable[..., Found]


def push_batched(
    network: Network,
    images: Float[Tensor, "image channel height width"],
    directions: Float[Tensor, "direction image channel height width"],
    fields: Float[Tensor, "direction image 2 height width"] | None,
    sites: Sequence[str],
    read: Reader,
) -> Found:
    """The derivatives along all directions at every site, the network's own pass shared by all.

    Args:
        network: what runs.
        images: shape (image, channel, height, width).
        directions: changes of the images.
        fields: handed to `read` beside each direction.
        sites: where to read.
        read: reduces an activation and its derivative.

    Returns:
        By site what `read` gave, the directions along the first axis.
    """

    def along(direction: Tensor, field: Tensor | None) -> Found:
        def run(shown: Tensor) -> tuple[Tensor, Found]:
            return _run(network, shown, sites, read, field)

        found: Found = torch.func.jvp(run, (images,), (direction,))[0][1]
        return found

    in_dims = (0, None if fields is None else 0)
    with _exact():
        found: Found = torch.func.vmap(along, in_dims=in_dims)(directions, fields)
    return found


def push_forward(
    network: Network,
    images: Float[Tensor, "image channel height width"],
    directions: Float[Tensor, "direction image channel height width"],
    fields: Float[Tensor, "direction image 2 height width"] | None,
    sites: Sequence[str],
    read: Reader,
) -> Found:
    """As `push_batched`, one direction after the other."""
    found = []
    for place, direction in enumerate(directions):
        with _exact(), forward_ad.dual_level():
            dual = forward_ad.make_dual(images, direction)  # type: ignore[no-untyped-call]
            found.append(_run(network, dual, sites, read, None if fields is None else fields[place])[1])
    return _stacked(found)


def push_difference(
    network: Network,
    images: Float[Tensor, "image channel height width"],
    directions: Float[Tensor, "direction image channel height width"],
    fields: Float[Tensor, "direction image 2 height width"] | None,
    sites: Sequence[str],
    read: Reader,
) -> Found:
    """As `push_batched`, from two passes a little to either side of the images, which any network can do."""
    found = []
    for place, direction in enumerate(directions):
        step = _steps(images, direction)
        moved = step[:, None, None, None] * direction
        sides: list[dict[str, Tensor]] = []
        for shown in (images + moved, images - moved):
            kept: dict[str, Tensor] = {}
            with torch.no_grad(), tap(network, sites, lambda name, one, kept=kept: kept.update({name: one.clone()})):  # type: ignore[misc]
                network(shown)
            sides.append(kept)
        field = None if fields is None else fields[place]
        one: Found = {}
        for name, ahead in sides[0].items():
            behind, width = sides[1][name], step.reshape(-1, *[1] * (ahead.ndim - 1)).to(ahead)
            one[name] = read(name, (ahead + behind) / 2, (ahead - behind) / (2 * width), field)
        found.append(one)
    return _stacked(found)


_PUSHES: dict[str, Push] = {"batched": push_batched, "forward": push_forward, "difference": push_difference}


def choose_push(
    network: Network,
    images: Float[Tensor, "image channel height width"],
    direction: Float[Tensor, "image channel height width"],
    method: str = "auto",
) -> tuple[Push, str, list[str]]:
    """The cheapest way that this network allows, tried on a few images.

    Args:
        network: what runs.
        images: a few.
        direction: a change of each.
        method: "batched", "forward", "difference"; or "auto", the first of these that runs and whose derivative of the
            output is that of a difference of two passes, roughly.

    Returns:
        The way, its name, and what a person should be told.

    Raises:
        NetworkError: the network cannot be run in the way asked for.
        SettingError: there is no such way.
    """
    if method not in METHODS:
        raise SettingError(unknown("method", method, METHODS))
    if method == "difference":
        return push_difference, method, []
    expected, rounding = _expected(network, images, direction)
    notes: list[str] = []
    for name in ("batched", "forward") if method == "auto" else (method,):
        try:
            found = _output(_PUSHES[name], network, images, direction)
        except (RuntimeError, ValueError) as error:
            if isinstance(error, (InvariscopeError, torch.OutOfMemoryError)):
                raise
            reason = str(error).strip().split("\n")[0].rstrip(".")
            notes.append(f"{network.spec} cannot be differentiated in forward mode ({reason})")
            continue
        gap, size = float((found - expected).norm()), float(expected.norm())
        if gap <= _ALIKE * size + rounding:
            return _PUSHES[name], name, []
        notes.append(
            f"forward mode and a difference of two passes of {network.spec} are not alike (they differ by {gap:.2g}, "
            f"where the difference is {size:.2g}), so that some operation hides its derivative or is too rough for one"
        )
    if method != "auto":
        raise NetworkError(f'{notes[-1]}; use method="difference".')
    return push_difference, "difference", [f"{notes[-1]}; differences of two passes were taken instead."]


def _output(push: Push, network: Network, images: Tensor, direction: Tensor) -> Tensor:
    return push(network, images, direction[None], None, [OUTPUT], _whole)[OUTPUT]["tangent"].double()


def _expected(network: Network, images: Tensor, direction: Tensor) -> tuple[Tensor, float]:
    """The derivative of the output from two passes, and how far rounding alone may put it off."""
    found = push_difference(network, images, direction[None], None, [OUTPUT], _whole)[OUTPUT]
    step = float(_steps(images, direction).min())
    rounding = 8 * torch.finfo(network.dtype).eps * float(found["value"].double().norm()) / step
    return found["tangent"].double(), rounding


def _whole(site: str, activation: Tensor, tangent: Tensor, field: Tensor | None) -> dict[str, Tensor]:
    return {"tangent": tangent.clone(), "value": activation.clone()}


def _steps(images: Tensor, direction: Tensor) -> Float[Tensor, " image"]:
    """How far to go in each image; one step for a whole batch would depend on the batch."""
    size = direction.double().square().mean((1, 2, 3)).sqrt()
    scale = images.double().square().mean((1, 2, 3)).sqrt().clamp(min=_SHARE)
    return torch.where(size > 0, _SHARE * scale / size, torch.ones_like(size)).to(images)


def _run(
    network: Network, images: Tensor, sites: Sequence[str], read: Reader, field: Tensor | None
) -> tuple[Tensor, Found]:
    found: Found = {}

    def keep(name: str, activation: Tensor) -> None:
        value, tangent = forward_ad.unpack_dual(activation)  # type: ignore[no-untyped-call]
        found[name] = read(name, value, torch.zeros_like(value) if tangent is None else tangent, field)

    with torch.no_grad(), tap(network, sites, keep):
        output = network(images)
    return output, found


def _stacked(found: list[Found]) -> Found:
    return {
        site: {name: torch.stack([one[site][name] for one in found]) for name in named}
        for site, named in found[0].items()
    }


@contextmanager
def _exact() -> Iterator[None]:
    """Attention as operations that have a forward-mode derivative; torch's own warnings about itself are kept in."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
