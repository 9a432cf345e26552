"""Transformed images per second: batches against a loop over images with torchvision's transforms.

python benchmarks/synthetic.py [--images 512] [--size 32]

All eight categories of Transforms-2D together (translation, rotation, scale, both flips, blur, sharpening, colour
jitter), and the affine ones with jitter alone; a magnitude of its own for every image on both sides, one thread.
"""

import argparse

import torch
from common import alternate, write
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from invariscope.transformations.base import TRANSFORMATIONS

AFFINE = ("rotation", "translation-x", "translation-y", "zoom")
OTHERS = ("horizontal-flip", "vertical-flip", "gaussian-blur", "sharpen")
RANGES = {
    "rotation": (-180.0, 180.0),
    "translation-x": (-0.3, 0.3),
    "translation-y": (-0.3, 0.3),
    "zoom": (0.55, 1.5),
    "gaussian-blur": (0.3, 2.0),
    "sharpen": (0.0, 3.0),
    "color-jitter": (1.0, 1.0),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    n, size = options.images, options.size
    generator = torch.Generator().manual_seed(0)
    images, seeds = torch.rand(n, 3, size, size, generator=generator), torch.arange(n)
    draws = {name: torch.rand(n, generator=generator) for name in (*AFFINE, *OTHERS, "color-jitter")}
    magnitudes = {}
    for name, draw in draws.items():
        low, high = RANGES.get(name, (0.0, 1.0))
        magnitudes[name] = draw.round() if name.endswith("flip") else low + (high - low) * draw

    def batched(names: tuple[str, ...]) -> None:
        moved = images
        for name in names:
            moved = TRANSFORMATIONS[name]()(moved, magnitudes[name], seeds=seeds)

    jitter = v2.ColorJitter(0.6, 0.6, 0.8, 0.5)
    listed = {name: values.tolist() for name, values in magnitudes.items()}

    def loop(everything: bool) -> None:
        for index, image in enumerate(images):
            shift = [round(listed[name][index] * size) for name in ("translation-x", "translation-y")]
            moved = F.affine(
                image, listed["rotation"][index], shift, listed["zoom"][index], [0.0], v2.InterpolationMode.BILINEAR
            )
            if everything:
                if listed["horizontal-flip"][index]:
                    moved = F.horizontal_flip(moved)
                if listed["vertical-flip"][index]:
                    moved = F.vertical_flip(moved)
                moved = F.gaussian_blur(moved, [13, 13], listed["gaussian-blur"][index])
                moved = F.adjust_sharpness(moved, 1 + listed["sharpen"][index])
            jitter(moved)

    cases = {
        "all eight categories": ((*AFFINE, *OTHERS, "color-jitter"), True),
        "affine and jitter": ((*AFFINE, "color-jitter"), False),
    }
    result = {"images": n, "size": size}
    for case, (names, everything) in cases.items():
        seconds = alternate(
            {"batched": lambda names=names: batched(names), "loop": lambda e=everything: loop(e)}, options.repeats
        )
        middle = {name: sorted(values)[len(values) // 2] for name, values in seconds.items()}
        result[case] = {
            "batched images/s": n / middle["batched"],
            "loop images/s": n / middle["loop"],
            "times faster": middle["loop"] / middle["batched"],
            "seconds": seconds,
        }
    write("synthetic", result)


if __name__ == "__main__":
    main()
