"""Files that are there whole or not at all."""

import errno
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invariscope.core.errors import StorageError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Within the block, write to the path that is given; afterwards it lies at `path`, or, after an error, nowhere.

    Args:
        path: where the finished file or folder shall be; its parent folder is made.

    Yields:
        A temporary path beside it, with the same suffix, for a file or a folder.

    Raises:
        StorageError: the disk is full or does not let us write.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with whole(folder / "note.txt") as draft:
        ...     _ = draft.write_text("whole")
        >>> (folder / "note.txt").read_text()
        'whole'
    """
    # A name of its own: two processes may write the same result at the same time, and either may win.
    draft = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        if path.is_dir() and draft.is_dir():
            shutil.rmtree(path)
        draft.replace(path)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(_sentence(path, error)) from error
    finally:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


def _sentence(path: Path, error: OSError) -> str:
    reason = {
        errno.ENOSPC: "the disk is full; free some space and repeat the command with --resume",
        errno.EDQUOT: "the disk quota is used up; free some space and repeat the command with --resume",
        errno.EACCES: "this folder may not be written to; choose another with --out",
        errno.EROFS: "this folder is read-only; choose another with --out",
    }.get(error.errno or 0, error.strerror or str(error))
    return f"{path} could not be written: {reason}."
