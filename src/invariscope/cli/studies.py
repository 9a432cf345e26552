"""`invariscope studies`: which experiments there are."""

from invariscope.cli.options import Shared


def studies(*, shared: Shared = Shared()) -> None:
    """List the studies, with the paper's figure each stands for.

    Args:
        shared: what every command has.
    """
    from invariscope.cli.output import first_line, print_list
    from invariscope.studies.base import STUDIES

    print_list("studies", [{"name": name, "asks": first_line(study)} for name, study in STUDIES.items()], shared)
