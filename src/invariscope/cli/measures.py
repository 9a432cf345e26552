"""`invariscope measures`: what is computed for every unit."""

from invariscope.cli.options import Shared


def measures(*, shared: Shared = Shared()) -> None:
    """List the measures of units: the columns they fill and what they mean.

    Args:
        shared: what every command has.
    """
    from invariscope.cli.output import first_line, print_list
    from invariscope.measures.base import MEASURES
    from invariscope.measures.variances import SWEEP_MEASURES

    rows = [
        {"name": name, "columns": list(columns), "says": first_line(kind)}
        for name, kind, columns in [
            *((name, kind, kind.columns) for name, kind in MEASURES.items()),
            *((name, kind, kind.columns) for name, kind in SWEEP_MEASURES.items()),
        ]
    ]
    print_list("measures", rows, shared)
