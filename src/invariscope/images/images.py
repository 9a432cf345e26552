"""A set of images, labelled or not, that is decoded when a network's input recipe is known."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invariscope.core.errors import ImageError, SettingError
from invariscope.images.arrays import check_array, check_labels
from invariscope.images.cached import cache_key, decode_cached
from invariscope.images.parallel import ahead
from invariscope.images.prepare import Decoded, decode_all, fit_array
from invariscope.images.prepared import Prepared
from invariscope.images.source import Source, digest
from invariscope.images.spool import MEMORY_LIMIT
from invariscope.networks.recipe import Recipe


class Images:
    """Images with or without labels, from an array or from one of the sources of `load_images`.

    Args:
        array: uint8 (image, height, width, channel) or (image, channel, height, width), 0 to 255; or float
            (image, channel, height, width), 0 to 1; numpy or torch. A grey set may leave the channel out.
        labels: one integer (place in `classes`) or one name per image; None, or all −1, for an unlabelled set.
        classes: the names of the classes.
        wnids: the WordNet identifiers of the classes, where they have some.
        spec: what the set was asked for by.
        notes: what a person should be told once.

    Raises:
        ImageError: the array or the labels have the wrong shape, type or range.

    Example:
        >>> images = Images(np.zeros((4, 8, 8, 3), np.uint8), labels=["cat", "dog", "dog", "cat"])
        >>> len(images), images.classes, images.labels.tolist()
        (4, ('cat', 'dog'), [0, 1, 1, 0])
        >>> images.fit(Recipe()).pixels.shape
        torch.Size([4, 3, 8, 8])
    """

    def __init__(
        self,
        array: Any,
        labels: Any = None,
        classes: Sequence[str] | None = None,
        *,
        wnids: Sequence[str] | None = None,
        spec: str = "array",
        notes: Sequence[str] = (),
    ) -> None:
        self._data: Tensor | Source = array if isinstance(array, Source) else check_array(array)
        self._places: npt.NDArray[np.int64] = np.arange(len(self._data))
        self.labels, self.classes = check_labels(labels, classes, len(self._data))
        self.wnids = tuple(wnids) if wnids is not None else None
        self.spec = spec
        self.notes: list[str] = list(notes)
        self.skipped: list[tuple[str, str]] = []
        self.strict = False

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        kind = "unlabelled" if self.labels is None else f"{self.n_classes} classes"
        return f"<{len(self)} images of {self.spec!r}, {kind}>"

    @property
    def n_classes(self) -> int:
        """How many classes the labels name or reach; 0 for an unlabelled set."""
        if self.labels is None:
            return 0
        return len(self.classes) if self.classes is not None else int(self.labels.max()) + 1

    @property
    def n_skipped(self) -> int:
        """How many images could not be read when they were last fitted."""
        return len(self.skipped)

    def name(self, index: SupportsIndex) -> str:
        """What a person calls an image: its file or row, or its number."""
        place = int(self._places[index])
        return self._data.name(place) if isinstance(self._data, Source) else str(place)

    @cached_property
    def content(self) -> str:
        """A hash of the encoded bytes of every image, in order, at the cost of reading each of them once."""
        total = hashlib.blake2b(digest_size=16)
        if isinstance(self._data, Source):
            for part in ahead(digest, self._data.loaders(self._places.tolist())):
                total.update(part())
        else:
            array = np.ascontiguousarray(self._chosen().numpy())
            total.update(f"{array.dtype}{array.shape}".encode())
            total.update(array.data)
        return total.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the images' content, their order, labels and class names; the same wherever they lie."""
        about = json.dumps([self.content, None if self.labels is None else self.labels.tolist(), self.classes])
        return hashlib.blake2b(about.encode(), digest_size=16).hexdigest()

    def subset(self, indices: Sequence[int] | npt.NDArray[Any] | Tensor) -> "Images":
        """Some of the images, in the given order.

        Args:
            indices: places in this set.

        Returns:
            A set that shares the decoded or encoded data of this one.
        """
        chosen = np.asarray(indices, dtype=np.int64)
        part = object.__new__(Images)
        part.__dict__.update({k: v for k, v in self.__dict__.items() if k not in ("content", "fingerprint")})
        part._places = self._places[chosen]
        part.labels = None if self.labels is None else self.labels[chosen]
        part.skipped, part.notes = [], list(self.notes)
        return part

    def limit(self, n: int, seed: int = 0) -> "Images":
        """At most n images, as even over the classes as they allow, chosen by the seed, in their old order.

        Args:
            n: how many to keep.
            seed: another seed chooses others.

        Returns:
            The subset; the whole set when it is not larger.

        Raises:
            ImageError: n is not positive.
            SettingError: the seed is negative.

        Example:
            >>> images = Images(np.zeros((9, 8, 8, 1), np.uint8), labels=[0, 0, 0, 0, 0, 0, 1, 1, 2])
            >>> images.limit(6).labels.tolist()
            [0, 0, 0, 1, 1, 2]
        """
        if n < 1:
            raise ImageError(f"at least one image is needed; the limit is {n}.")
        if seed < 0:
            raise SettingError(f"a seed is 0 or more; got {seed}.")
        if n >= len(self):
            return self
        draw = np.random.Generator(np.random.PCG64(seed))
        labels = np.zeros(len(self), np.int64) if self.labels is None else self.labels
        shuffled = draw.permutation(len(self))
        # The rank of an image within its class; taking the lowest ranks first goes round the classes.
        by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
        sizes = np.bincount(labels)
        rank = np.empty(len(self), np.int64)
        rank[by_class] = np.arange(len(self)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        turn = draw.permutation(len(sizes))[labels]
        return self.subset(np.sort(np.lexsort((turn, rank))[:n]))

    def fit(
        self, recipe: Recipe, cache: Path | None = None, strict: bool = False, memory: int = MEMORY_LIMIT
    ) -> Prepared:
        """Decode, resize and crop every image for a network, once.

        Encoded images become uint8 through torchvision's antialiased resize and centre crop; an image that cannot be
        read is skipped and counted. An array of float images stays float32.

        Args:
            recipe: the network's input recipe; its mean and standard deviation are not applied.
            cache: a folder in which the pixels are kept as .npy, by content and recipe, for the next time.
            strict: refuse an unreadable image instead of skipping it.
            memory: largest number of bytes of pixels held in memory; above it they are streamed from disk.

        Returns:
            The images ready to be served in batches.

        Raises:
            ImageError: the images cannot be read or brought to one size, or have other channels than the recipe.
            StorageError: the cache cannot be written.
        """
        strict = strict or self.strict
        if not len(self):
            raise ImageError(f"{self.spec} holds no images.")
        if isinstance(self._data, Tensor):
            found = Decoded(fit_array(self._chosen(), recipe), list(range(len(self))))
            if self._data.shape[1] == 1 and recipe.channels == 3:
                found.stored_as["grey"] = len(self)
        else:
            places = self._places.tolist()
            if cache is None:
                found = decode_all(self._data, places, recipe, file=None, memory=memory, strict=strict)
            else:
                entry = cache / cache_key(self.content, recipe)
                found = decode_cached(self._data, places, recipe, entry, memory=memory, strict=strict)
        self.skipped = found.skipped
        kept = np.array(found.kept, dtype=np.int64)
        return Prepared(
            pixels=found.pixels,
            labels=None if self.labels is None else self.labels[kept],
            classes=self.classes,
            wnids=self.wnids,
            names=[self.name(i) for i in found.kept],
            skipped=found.skipped,
            notes=self.notes + _told(found, recipe),
            kept=kept,
            owner=found.owner,
        )

    def _chosen(self) -> Tensor:
        assert isinstance(self._data, Tensor)
        everything = np.array_equal(self._places, np.arange(len(self._data)))
        return self._data if everything else self._data[torch.from_numpy(self._places)]


def _told(found: Decoded, recipe: Recipe) -> list[str]:
    become = "grey" if recipe.channels == 1 else "RGB"
    kinds = sorted((kind, n) for kind, n in found.stored_as.items() if kind != become)
    notes = [f"{n} of the images {'was' if n == 1 else 'were'} {kind} and became {become}." for kind, n in kinds]
    if found.skipped:
        name, reason = found.skipped[0]
        notes.append(f"{len(found.skipped)} of the images could not be read and were left out, first {name}: {reason}.")
    return notes
