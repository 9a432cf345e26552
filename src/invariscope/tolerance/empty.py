"""Tables without rows whose columns still have their types."""

from collections.abc import Iterable

import pandas as pd

_TEXT = ("transformation", "class", "criterion", "side", "predicted", "group", "layer", "verdict")
_COUNTS = ("n", "reentries", "n_active", "n_images")
_TYPES = {"tolerated": "boolean", "censored": "bool"}


def empty(columns: Iterable[str]) -> pd.DataFrame:
    """A table of no rows, so that tables of many transformations can be joined whatever each could say.

    Args:
        columns: the names of the columns of one of the tables of this room.

    Returns:
        Text, counts, booleans and, for all other names, float64.

    Example:
        >>> empty(["class", "threshold", "n"]).dtypes.astype(str).tolist()[1:]
        ['float64', 'int64']
    """
    types = dict.fromkeys(_TEXT, "str") | dict.fromkeys(_COUNTS, "int64") | _TYPES
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "float64")) for name in columns})
