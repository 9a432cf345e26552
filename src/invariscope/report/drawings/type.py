"""How wide words are, and how they are broken to fit."""

import warnings
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

_PATH = TextToPath()


@lru_cache(maxsize=4096)
def width_of(text: str, size: float, weight: str = "normal") -> float:
    """How many pixels a text takes in the figures' own face, which is wider than most that a reader has.

    Example:
        >>> 0 == width_of("", 10) < width_of("i", 10) < width_of("w", 10) < width_of("w", 20)
        True
    """
    if not text:
        return 0.0
    with warnings.catch_warnings():
        # A class name may use letters that this face lacks; the reader's has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        face = FontProperties(family="DejaVu Sans", size=size, weight=weight)
        return float(_PATH.get_text_width_height_descent(text, face, ismath=False)[0])


def broken(text: str, width: float, size: float, lines: int = 2, weight: str = "normal") -> list[str]:
    """A text in at most so many lines of a width; what does not fit ends in an ellipsis.

    Example:
        >>> broken("salt and pepper", 60, 10), broken("inversion", 20, 10, lines=1)
        (['salt and', 'pepper'], ['in…'])
    """
    done: list[str] = []
    words = text.split(" ")
    while words and len(done) < lines:
        taken = 1
        while taken < len(words) and width_of(" ".join(words[: taken + 1]), size, weight) <= width:
            taken += 1
        done.append(" ".join(words[:taken]))
        words = words[taken:]
    if words:
        done[-1] = f"{done[-1]} {' '.join(words)}"
    return [_cut(line, width, size, weight) for line in done]


def fits(text: str, width: float, size: float, lines: int = 2) -> bool:
    """Whether a text stands in so many lines of a width without being cut."""
    return all(not line.endswith("…") or text.endswith("…") for line in broken(text, width, size, lines))


def _cut(text: str, width: float, size: float, weight: str) -> str:
    if width_of(text, size, weight) <= width:
        return text
    while len(text) > 1 and width_of(f"{text}…", size, weight) > width:
        text = text[:-1].rstrip()
    return f"{text}…"
