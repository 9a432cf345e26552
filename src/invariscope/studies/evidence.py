"""How sure a number of a network is: over seeds where it was trained, over images where it was loaded."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from invariscope.core.words import count
from invariscope.studies.compare import Estimate, by_seed, mean_of
from invariscope.studies.judge import FEWEST_SEEDS
from invariscope.studies.phrases import hundredths, sure


def estimate(results: pd.DataFrame, networks: pd.DataFrame, network: str, **where: Any) -> Estimate:
    """A number of one network.

    Args:
        results: a study's tidy table.
        networks: the table of `Given.summary`.
        network: its label.
        where: conditions by column.

    Returns:
        Of trained networks the mean over seeds; of a loaded one its number with the interval over images, both averaged
        over the draws of images where there are several, with `n` such that it can be judged.
    """
    if _trained(networks, network):
        return mean_of(by_seed(results, network=network, **where))
    rows = results[results["seed"].notna() & (results["network"] == network)]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    value, low, high = (float(rows[column].mean()) for column in ("value", "low", "high"))
    return Estimate(value, low, high, FEWEST_SEEDS if len(rows) else 0)


def surely(found: Estimate, networks: pd.DataFrame, network: str, write: Callable[[float], str] = hundredths) -> str:
    """How sure it is, in brackets: over how many seeds, or images.

    Args:
        found: of `estimate`.
        networks: the table of `Given.summary`.
        network: its label.
        write: how a number is written.
    """
    if _trained(networks, network):
        return sure(found, write)
    if pd.isna(found.low):
        return ""
    n = int(networks.loc[networks["network"] == network, "n"].iloc[0])
    return f" (95 % in {write(found.low)} to {write(found.high)} over {count(n, 'image')})"


def _trained(networks: pd.DataFrame, network: str) -> bool:
    return bool(networks.loc[networks["network"] == network, "trained"].all())
