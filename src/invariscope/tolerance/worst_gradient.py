"""Going uphill: the magnitudes of a joint transformation along the gradient of what fools a network."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.core.errors import NetworkError
from invariscope.core.seeds import image_seeds
from invariscope.tolerance.examination import margin_true
from invariscope.tolerance.outputs import check_finite
from invariscope.tolerance.worst_search import WorstSearch

# Of the region's width, at the first step; later steps shrink evenly to a tenth of it.
_FIRST_STEP, _LAST_STEP = 0.25, 0.025


def ascend(
    search: WorstSearch,
    starts: Float[Tensor, "image axis"],
    images: Int[Tensor, " image"],
    *,
    steps: int,
    seed: int,
    batch_size: int,
) -> int:
    """Lower the true class's margin by steps along its gradient in the magnitudes, kept within the region.

    u ← P(u − ηₜ ∇m / |∇m|), with u from 0 to 1 across the region on every axis, m the margin, P the nearest point of
    the region, and ηₜ from 0.25 to 0.025. The gradient leaves out what points outward at the region's ends, and axes
    that are not smooth, which stay where they start. An image that is fooled leaves, unless the search is exhaustive.

    Args:
        search: keeps what is found.
        starts: magnitudes; shape (image, axis).
        images: places, each once; shape (image,).
        steps: points that are asked per image, the start among them.
        seed: of random transformations.
        batch_size: images per pass.

    Returns:
        How many gradients were taken.

    Raises:
        NetworkError: the network passes no gradient to its input.
    """
    examination, region = search.examination, search.region
    shares, gradients, done = region.shares(starts), 0, 0
    for chunk, loaded in examination.images.batches(batch_size, examination.network.device, images):
        rows, batch = chunk, loaded
        here = shares[done : done + len(chunk)].to(batch.device, torch.float32)
        done += len(chunk)
        for step in range(steps):
            last = step == steps - 1
            predicted, margin, slope, magnitudes = _look(search, rows, batch, here, seed, last)
            search.passes[rows] += 1
            gradients += 0 if last else len(rows)
            search.note(rows, magnitudes[None], margin[None], predicted, "gradient")
            width = _FIRST_STEP + (_LAST_STEP - _FIRST_STEP) * step / max(steps - 2, 1)
            here = (here - width * slope).clamp(0, 1)
            if not search.exhaustive:
                left = ~search.fooled[rows]
                rows, kept = rows[left], left.to(batch.device)
                batch, here = batch[kept], here[kept]
            if not len(rows):
                break
    return gradients


def _look(
    search: WorstSearch, rows: Tensor, batch: Tensor, shares: Tensor, seed: int, last: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The classes answered, margins, directions in which margins rise, and magnitudes, at these shares."""
    examination, region = search.examination, search.region
    joint, labels = region.joint, examination.labels[rows].to(batch.device)
    seeds = image_seeds(rows.to(batch.device), seed, joint.name) if joint.random else None
    with torch.enable_grad():
        leaf = shares.detach().clone().requires_grad_(not last)
        magnitudes = region.at(leaf)
        logits = examination.network(joint(batch, magnitudes, seeds=seeds)).float()
        margin = margin_true(logits, labels)
        if last:
            slope = torch.zeros_like(shares)
        elif not margin.requires_grad:
            raise NetworkError('the network passes no gradient to its input; look for the worst case by method="grid".')
        else:
            # Rows do not mix, so the sum's gradient is each row's own.
            (slope,) = torch.autograd.grad(margin.sum(), leaf)
    examination.passes += len(rows)
    check_finite(logits.detach(), f"images under {joint.name}")
    predicted, margins = logits.detach().argmax(dim=1).cpu(), margin.detach().cpu()
    return predicted, margins, _direction(shares, slope), magnitudes.detach().double().cpu()


def _direction(shares: Float[Tensor, "row axis"], slope: Float[Tensor, "row axis"]) -> Float[Tensor, "row axis"]:
    """The slope, of length 1, without what leads out of the region when gone against; 0 where it is flat."""
    outward = ((shares <= 0) & (slope > 0)) | ((shares >= 1) & (slope < 0))
    inner = torch.where(outward | ~slope.isfinite(), torch.zeros_like(slope), slope)
    return torch.nn.functional.normalize(inner, dim=1)
