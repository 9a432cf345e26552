"""The worst point found so far of every image, by grid and at random."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from invariscope.tolerance.examination import Answers, Examination
from invariscope.tolerance.region import Region

# Questions that are at least asked at once: where few images are left, several points of each. Not the batch size, so
# that what is found, and what it costs, does not depend on it.
_AT_ONCE = 64


class WorstSearch:
    """What is known of every image: its worst point, and where to look further.

    Args:
        examination: of the network.
        region: where to look.
        keep: how many points per image to remember as starts.
        exhaustive: go on with images that are fooled already, and name the point with the lowest margin; else the
            first that fooled.

    Attributes:
        margin: the true class's lead at the worst point; shape (image,).
        predicted: the class that is answered there; shape (image,).
        magnitudes: the worst point, the identity at first; shape (image, axis).
        fooled: whether another class wins there; shape (image,).
        found_by: what fooled it: "clean", "grid", "random" or "gradient"; empty for images that nothing fools; as long
            as there are images.
        passes: how often each image was shown for this, the clean one included; shape (image,).
        starts: the worst points that do not fool, lowest margin first, NaN where unknown; shape (image, keep, axis).
    """

    def __init__(self, examination: Examination, region: Region, *, keep: int = 0, exhaustive: bool = False) -> None:
        n, axes = len(examination.labels), len(region.low)
        self.examination, self.region, self.exhaustive = examination, region, exhaustive
        clean = examination.clean
        self.margin, self.predicted = clean.margin_true.clone(), clean.predicted.clone()
        self.magnitudes = torch.tensor(region.joint.identity, dtype=torch.float64).repeat(n, 1)
        self.fooled = clean.predicted != examination.labels
        self.found_by = ["clean" if wrong else "" for wrong in self.fooled.tolist()]
        self.passes = torch.ones(n, dtype=torch.int64)
        self.starts = torch.full((n, keep, axes), float("nan"), dtype=torch.float64)
        self._start_margins = torch.full((n, keep), float("inf"))

    @property
    def open(self) -> Int[Tensor, " image"]:
        """The images that are still looked at."""
        return torch.arange(len(self.fooled)) if self.exhaustive else (~self.fooled).nonzero()[:, 0]

    def by_grid(self, points: Float[Tensor, "point axis"]) -> None:
        """Ask every open image at every point; an image that is fooled leaves.

        Args:
            points: magnitudes, those that fool soonest first.
        """
        done = 0
        while done < len(points) and len(images := self.open):
            some = points[done : done + max(1, _AT_ONCE // len(images))]
            self.take(images, some[:, None].expand(-1, len(images), -1), "grid")
            self.passes[images] += len(some)
            done += len(some)

    def take(self, images: Int[Tensor, " image"], points: Float[Tensor, "point image axis"], by: str) -> Answers:
        """Ask images at points of their own, and keep what is worse than before.

        Args:
            images: places, each once; shape (image,).
            points: magnitudes; shape (point, image, axis).
            by: how the points were come by.

        Returns:
            The answers, point by point; shape (point · image,).
        """
        rows = images.repeat(len(points))
        answers = self.examination.ask(self.region.joint, rows, points.reshape(-1, points.shape[-1]))
        margins = answers.margin_true.reshape(len(points), -1)
        self.note(images, points, margins, answers.predicted, by)
        self._remember(images, points, margins)
        return answers

    def note(
        self,
        images: Int[Tensor, " image"],
        points: Float[Tensor, "point image axis"],
        margins: Float[Tensor, "point image"],
        predicted: Int[Tensor, " row"],
        by: str,
    ) -> None:
        """Keep what is worse than before.

        Args:
            images: places, each once; shape (image,).
            points: magnitudes; shape (point, image, axis).
            margins: of the true class; shape (point, image).
            predicted: the classes answered, point by point; shape (point · image,).
            by: how the points were come by.
        """
        classes = predicted.reshape(margins.shape)
        fools = classes != self.examination.labels[images]
        # A margin of 0 fools or does not, by which of the two classes comes first.
        first, lowest = fools.int().argmax(dim=0), torch.where(fools, margins, margins.clamp(min=1e-30)).argmin(dim=0)
        chosen = lowest if self.exhaustive else torch.where(fools.any(dim=0), first, lowest)
        columns = torch.arange(len(images))
        fooling, margin = fools[chosen, columns], margins[chosen, columns]
        before = self.fooled[images]
        worse = (fooling & ~before) | ((fooling == before) & (margin < self.margin[images]))
        if not self.exhaustive:
            worse &= ~before
        better = images[worse]
        self.margin[better] = margin[worse]
        self.predicted[better] = classes[chosen, columns][worse]
        self.magnitudes[better] = points[chosen, columns][worse].double()
        self.fooled[better] = fooling[worse]
        for image in images[worse & fooling].tolist():
            self.found_by[image] = by

    def _remember(self, images: Tensor, points: Tensor, margins: Tensor) -> None:
        keep = self.starts.shape[1]
        if not keep:
            return
        every = torch.cat([self._start_margins[images], margins.T], dim=1)
        places = torch.cat([self.starts[images], points.transpose(0, 1).double()], dim=1)
        lowest, order = every.topk(keep, dim=1, largest=False)
        self._start_margins[images] = lowest
        self.starts[images] = places.gather(1, order[:, :, None].expand(-1, -1, places.shape[2]))
