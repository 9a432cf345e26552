"""What goes into a job and comes out of it, as plain values and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from invariscope.studies.base import Row


def tuples(value: Any) -> Any:
    """The same value with tuples where JSON has lists.

    Example:
        >>> tuples({"k": [1, [2, 3]]})
        {'k': (1, (2, 3))}
    """
    if isinstance(value, dict):
        return {name: tuples(each) for name, each in value.items()}
    return tuple(tuples(each) for each in value) if isinstance(value, list | tuple) else value


def with_conditions(
    observed: Mapping[str, Sequence[Row] | pd.DataFrame], conditions: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """What was observed of one network, with the network's own conditions in front where rows do not say them.

    Args:
        observed: rows of tables by name.
        conditions: by column.

    Returns:
        Tables by name.

    Example:
        >>> with_conditions({"results": [{"value": 1.0}]}, {"seed": 3})["results"].columns.tolist()
        ['seed', 'value']
    """
    tables = {}
    for name, rows in observed.items():
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        own = {column: value for column, value in conditions.items() if column not in frame.columns}
        tables[name] = pd.DataFrame({**{column: [value] * len(frame) for column, value in own.items()}, **frame})
    return tables
