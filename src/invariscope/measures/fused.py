"""The sums of a block of images in one compiled loop, for units that are too many for a processor's cache."""

import logging
import warnings
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from invariscope.core.errors import SettingError
from invariscope.measures.base import Measure
from invariscope.measures.block import Block
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference

# Compiling takes about as long as 5·10⁹ responses take without: worth it from here for a few thousand images.
MANY_UNITS = 200_000

# Images in a compiled block: few, so that the batches of large images, which hold few, are served too.
_ROWS = 10

_Kernel = Callable[[Pair, Reference, Tensor, Tensor], dict[str, Tensor]]


class Fuser:
    """Sums of whole blocks of images, compiled, or not at all where that is not wanted or not possible.

    Args:
        measures: whose contributions are summed.
        fused: True compiles, False does not, "auto" does for 200,000 units or more where a compiler is there.

    Raises:
        SettingError: `fused` is none of these.
    """

    def __init__(self, measures: list[Measure], fused: bool | str) -> None:
        if fused not in (True, False, "auto"):
            raise SettingError(f'fused takes True, False or "auto"; got {fused!r}.')
        self._measures, self._fused = tuple(measures), fused

    def sums(
        self, pair: Pair, reference: Reference, centre: Tensor, weights: Tensor
    ) -> tuple[int, list[dict[str, Tensor]]]:
        """The sums of as many whole blocks as there are.

        Args:
            pair: responses to some images; shape (image, unit).
            reference: what is known of the units over all images.
            centre: near the mean transformed response; shape (unit,).
            weights: shape (row, image).

        Returns:
            How many images were summed, and per block the sums by name, each of shape (row, unit).

        Raises:
            SettingError: compiling was asked for and is not possible.
        """
        images, units = pair.clean.shape
        wanted = self._fused is True or (self._fused == "auto" and units >= MANY_UNITS)
        given_up = self._fused == "auto" and self._measures in _IMPOSSIBLE
        if not wanted or given_up or images < _ROWS:
            return 0, []
        kernel = _kernel(self._measures)
        found: list[dict[str, Tensor]] = []
        try:
            for top in range(0, images - _ROWS + 1, _ROWS):
                rows = slice(top, top + _ROWS)
                other = None if pair.other is None else pair.other[rows]
                part = Pair(pair.clean[rows], pair.transformed[rows], other)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    # On a machine without a GPU the compiler says so at every first use.
                    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
                    found.append(kernel(part, reference, centre, weights[:, rows].contiguous()))
        except Exception as error:
            if self._fused is True:
                raise SettingError(
                    f'fused=True needs a working compiler, and compiling failed; use "auto" or False. ({error})'
                ) from error
            _IMPOSSIBLE.add(self._measures)
            return 0, []
        return len(found) * _ROWS, found


_IMPOSSIBLE: set[tuple[Measure, ...]] = set()


@cache
def _kernel(measures: tuple[Measure, ...]) -> _Kernel:
    def sums(pair: Pair, reference: Reference, centre: Tensor, weights: Tensor) -> dict[str, Tensor]:
        block = Block(pair, reference, centre)
        seen: dict[str, Tensor] = {}
        for measure in measures:
            seen |= measure.observe(block)
        # A sum of products fuses with what makes the factors; a matrix product would first write them to memory.
        return {name: torch.stack([(one * row[:, None]).sum(0) for row in weights]) for name, one in seen.items()}

    return torch.compile(sums, dynamic=False)
