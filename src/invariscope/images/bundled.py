"""Files that our dependencies carry: the DejaVu faces of matplotlib, the data and photographs of scikit-learn."""

from importlib.util import find_spec
from pathlib import Path

from invariscope.core.errors import ImageError


def matplotlib_font(face: str) -> Path:
    """The file of a typeface that matplotlib carries.

    Args:
        face: the file's name without its ending, as in DejaVuSans-Bold.

    Returns:
        The path of the TrueType file.

    Raises:
        ImageError: it is not there.

    Example:
        >>> matplotlib_font("DejaVuSans").name
        'DejaVuSans.ttf'
    """
    from matplotlib import get_data_path

    return _there(Path(get_data_path()) / "fonts" / "ttf" / f"{face}.ttf", "matplotlib")


def sklearn_data(*parts: str) -> Path:
    """A file below sklearn/datasets, found without importing scikit-learn, which takes longer than reading it.

    Args:
        parts: folder and name, as in "images", "china.jpg".

    Returns:
        The path of the file.

    Raises:
        ImageError: it is not there.

    Example:
        >>> sklearn_data("images", "china.jpg").name
        'china.jpg'
    """
    found = find_spec("sklearn")
    home = Path(found.origin).parent if found is not None and found.origin else Path("sklearn")
    return _there(home.joinpath("datasets", *parts), "scikit-learn")


def _there(path: Path, package: str) -> Path:
    if not path.is_file():
        raise ImageError(f"{package} should carry {path.name}, and it is not at {path}; install {package} anew.")
    return path
