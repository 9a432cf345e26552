"""Where the pictures of a run lie: nowhere but in its own directory."""

from pathlib import Path


def located(folder: Path, name: object) -> str:
    """The path of a picture that a table names; empty where no such file lies in the run directory.

    Args:
        folder: the run directory.
        name: a path relative to it, from a table that somebody else may have written.

    Example:
        >>> located(Path("/nowhere"), "../secret.png")
        ''
    """
    inside = folder.resolve()
    path = (inside / str(name)).resolve()
    return str(path) if path.is_relative_to(inside) and path.is_file() else ""
