"""`invariscope transformations`: what can be done to an image."""

from invariscope.cli.options import Shared


def transformations(*, shared: Shared = Shared()) -> None:
    """List the transformations: unit of measure, identity, span and default grid of the magnitude.

    Args:
        shared: what every command has.
    """
    from invariscope.cli.output import first_line, print_list
    from invariscope.transformations.base import TRANSFORMATIONS

    rows = [
        {
            "name": name,
            "magnitude": kind.unit_of_measure,
            "identity": kind.identity,
            "span": "{:g} to {:g}".format(*kind.span),
            "default_grid": sorted(float(value) for value in kind.grid),
            "does": first_line(kind),
        }
        for name, kind in TRANSFORMATIONS.items()
    ]
    print_list("transformations", rows, shared)
