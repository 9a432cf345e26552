"""Where a run lies: in the directory that was asked for, or in a temporary one for as long as its result is in use."""

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A run's directory.

    Args:
        path: the directory; it need not exist.
        temporary: the folder to remove when the result is no longer in use, or None.
    """

    path: Path
    temporary: Path | None = None

    def keep_for(self, result: object) -> None:
        """Keep a temporary directory until `result` is no longer in use."""
        if self.temporary is not None:
            weakref.finalize(result, shutil.rmtree, self.temporary, ignore_errors=True)


@contextmanager
def place(out: str | Path | None) -> Iterator[Place]:
    """Within the block a run is made at a place; after an error a temporary one is removed at once.

    Args:
        out: the run directory; None stands for a temporary one.

    Yields:
        The place; `keep_for` says until when it is needed.

    Example:
        >>> with place("here") as chosen:
        ...     chosen.path.name, chosen.temporary
        ('here', None)
    """
    if out is not None:
        yield Place(Path(out))
        return
    folder = Path(tempfile.mkdtemp(prefix="invariscope-"))
    try:
        yield Place(folder / "run", folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
