"""Versions at equal size: what each keeps when its family is scaled to that of the recommended one."""

from collections.abc import Mapping

import numpy as np
import torch

from invariscope.learned.controls import shared
from invariscope.learned.examine import Examiner
from invariscope.learned.learn import Learned
from invariscope.learned.objective import Objective
from invariscope.studies.base import Row
from invariscope.studies.given import Given
from invariscope.studies.tidy import found
from invariscope.studies.transformer_observed import size_of
from invariscope.studies.transformer_versions import RECOMMENDED

_LARGEST = 20.0


def equal_rows(families: Mapping[str, Learned], given: Given, objective: Objective, size: int) -> list[Row]:
    """Mean accuracy over the grid of k of every version, scaled to the size of the recommended one.

    The size of F_s = I + s (F − I) grows with s, so that every version can be brought to any size. A version that
    would have to grow more than twentyfold is left unknown.

    Args:
        families: by version.
        given: the network beside its images.
        objective: what shall stay, on these images.
        size: values of each component of k.
    """
    if RECOMMENDED not in families:
        return []
    wanted = size_of(families[RECOMMENDED].module)
    rows = []
    for version, learned in families.items():
        own = size_of(learned.module)
        scale = wanted / own if own else np.inf
        value, held = float("nan"), learned.held_out[1]
        if scale <= _LARGEST:
            with torch.no_grad():
                ask = Examiner(learned.module, given.network, given.images, objective, held)
                quality = ask.quality(float(scale), shared(learned.module.heads, size, origin=False))
            value = float(quality.mean())
        rows.append(found("accuracy at equal size", value, n=len(held), version=version))
    return rows
