"""`invariscope studies`: which experiments there are."""

from invariscope.cli.options import Shared


def studies(*, shared: Shared = Shared()) -> None:
    """List the studies, with their questions and the figures they stand for.

    Args:
        shared: what every command has.
    """
    from invariscope.cli.output import first_line, print_list
    from invariscope.studies.base import STUDIES

    rows = [{"name": name, "asks": first_line(study), "source": study.source} for name, study in STUDIES.items()]
    print_list("studies", rows, shared)
