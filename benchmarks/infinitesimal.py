"""Sensitivity to small transformations: what it costs, and which derivative at the identity says what happens next.

.venv/bin/python benchmarks/infinitesimal.py NETWORK IMAGES [--limit 200] [--rounds 3]

Cost: seconds of the whole measurement (two passes over the images besides the directions, all tables and their
bootstrap) over those of one bare pass over the same images in the same batches, one thread, processor time, median over
rounds; per transformation, with and without the directions of random phase.

Derivative: bilinear reading has a kink at the identity. Three derivatives of the logits (the symmetric one that
Invariscope takes; what forward mode gives through the sampling, which is one-sided pixel by pixel as rounding decides;
and the one-sided one towards larger magnitudes) are set against what the logits do, at magnitudes that move the fastest
pixel by 1/4 to 2 pixels: the correlation over images and logits of h·t with the change from −h to h, halved, and with
the change from 0 to h.
"""

import argparse
import statistics
import time

import torch

from invariscope.images.load import load_images
from invariscope.images.prepared import Prepared
from invariscope.networks.load import load_network
from invariscope.networks.network import Network
from invariscope.tolerance.infinitesimal import sensitivity
from invariscope.tolerance.infinitesimal_passes import push_batched
from invariscope.tolerance.infinitesimal_tangents import tangent_at_identity
from invariscope.transformations.base import TRANSFORMATIONS, Transformation

COSTED = ("translation-x", "rotation", "zoom", "shear", "brightness", "contrast", "hue", "gaussian-blur")
KINKED = ("translation-x", "rotation", "zoom", "shear")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("images")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(options.network)
    images = load_images(options.images).limit(options.limit).fit(network.recipe)
    print(f"torch {torch.__version__}, {options.network}, {len(images)} images")
    _costs(network, images, options.rounds)
    _derivatives(network, images)


def _costs(network: Network, images: Prepared, rounds: int) -> None:
    size = max(1, min(64, 400_000 // (images.height * images.width)))

    def bare() -> None:
        with torch.no_grad():
            for _, batch in images.batches(size):
                network(batch)

    one = _seconds(bare, rounds)
    for phase in (False, True):
        whole = _seconds(lambda phase=phase: sensitivity(network, images, COSTED, phase=phase), rounds)
        directions = len(COSTED) * (2 if phase else 1) + 1
        print(
            f"{'with' if phase else 'without'} random phases: {whole:.1f} s, {whole / one:.1f} bare passes in all, "
            f"{whole / one / len(COSTED):.2f} per transformation, {whole / one / directions:.2f} per direction"
        )


def _seconds(work: object, rounds: int) -> float:
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time()
        work()  # type: ignore[operator]
        taken.append(time.process_time() - start)
    return statistics.median(taken[1:])


def _derivatives(network: Network, images: Prepared) -> None:
    print("transformation, pixels, correlation with (z(h) - z(-h)) / 2: symmetric, forward mode, one-sided; with")
    print("z(h) - z(0): the same three")
    for name in KINKED:
        family = TRANSFORMATIONS[name]().with_fill(network.recipe.fill)
        half = abs((family.near_identity(images.height, images.width) or 0.0) - family.identity)
        ways: list[list[torch.Tensor]] = [[], [], []]
        moved: dict[float, list[tuple[torch.Tensor, torch.Tensor]]] = {pixels: [] for pixels in (0.25, 0.5, 1.0, 2.0)}
        for _, batch in images.batches(16):
            directions = torch.stack(
                [
                    tangent_at_identity(family, batch),
                    family.derivative(batch, family.identity),
                    _one_sided(family, batch, half * 1e-3),
                ]
            )
            found = push_batched(network, batch, directions, None, ["output"], _tangent)["output"]["tangent"]
            for way, tangent in zip(ways, found, strict=True):
                way.append(tangent)
            with torch.no_grad():
                clean = network(batch)
                for pixels, parts in moved.items():
                    h = 2 * pixels * half
                    ahead, behind = (network(family(batch, family.identity + sign * h)) for sign in (1, -1))
                    parts.append(((ahead - behind) / 2, ahead - clean))
        told = [torch.cat(way).flatten() for way in ways]
        for pixels, parts in moved.items():
            odd, ahead = (torch.cat([part[place] for part in parts]).flatten() for place in (0, 1))
            numbers = [float(torch.corrcoef(torch.stack([way, seen]))[0, 1]) for seen in (odd, ahead) for way in told]
            print(f"{name:14} {pixels:5} " + " ".join(f"{number:.3f}" for number in numbers), flush=True)


def _one_sided(family: Transformation, images: torch.Tensor, step: float) -> torch.Tensor:
    exact = images.double()
    return ((family(exact, family.identity + step) - exact) / step).to(images)


def _tangent(site: str, activation: torch.Tensor, tangent: torch.Tensor, field: object) -> dict[str, torch.Tensor]:
    return {"tangent": tangent.clone()}


if __name__ == "__main__":
    main()
