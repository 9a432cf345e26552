"""Words and numbers as pages and the terminal write them: names, magnitudes with units, percentages, lists."""

import math
from collections.abc import Sequence

MINUS = "−"

FAMILIES: dict[str, tuple[str, ...]] = {
    "Geometry": (
        "rotation",
        "translation-x",
        "translation-y",
        "scale-x",
        "scale-y",
        "zoom",
        "thinning",
        "horizontal-flip",
        "vertical-flip",
        "shear",
        "perspective",
        "elastic",
        "occlusion",
    ),
    "Light and colour": (
        "brightness",
        "gain",
        "contrast",
        "gamma",
        "saturation",
        "grayscale",
        "hue",
        "inversion",
        "color-jitter",
    ),
    "Detail": (
        "gaussian-blur",
        "sharpen",
        "high-pass",
        "horizontal-filter",
        "vertical-filter",
        "pixelate",
        "jpeg",
    ),
    "Noise": ("gaussian-noise", "salt-and-pepper"),
}
OTHER_FAMILY = "Other transformations"

# What stands after the number, by what the unit of measure begins with; the rest is written out in words.
_SIGNS = {"degree": "°", "pixel": " px", "px": " px", "magnification": "×", "factor": "×", "x": "×", "times": "×"}


def family(name: str) -> str:
    """The family under which a transformation is drawn.

    Example:
        >>> family("rotation"), family("solarize")
        ('Geometry', 'Other transformations')
    """
    return next((title for title, names in FAMILIES.items() if name in names), OTHER_FAMILY)


def family_order(name: str) -> tuple[int, str]:
    """Sorts transformations as `FAMILIES` lists them, unknown ones last.

    Example:
        >>> sorted(["jpeg", "solarize", "zoom", "rotation"], key=family_order)
        ['rotation', 'zoom', 'jpeg', 'solarize']
    """
    every = [known for names in FAMILIES.values() for known in names]
    return (every.index(name) if name in every else len(every), name)


def title(name: str) -> str:
    """A transformation's name as a heading.

    Example:
        >>> title("gaussian-blur"), title("jpeg")
        ('Gaussian blur', 'JPEG')
    """
    return "JPEG" if name == "jpeg" else name.replace("-", " ").capitalize()


def spoken(name: str) -> str:
    """A transformation's name inside a sentence.

    Example:
        >>> spoken("gaussian-blur"), spoken("translation-x")
        ('Gaussian blur', 'translation x')
    """
    words = name.replace("-", " ")
    return "JPEG" if name == "jpeg" else words.replace("gaussian", "Gaussian")


def tidy(text: object, most: int | None = None) -> str:
    r"""A name from outside without line breaks and control characters, and no longer than `most`.

    Example:
        >>> tidy("a\nb\x00c"), tidy("hammerhead shark", 8)
        ('a bc', 'hammerh…')
    """
    words = " ".join(str(text).split())
    clean = "".join(letter for letter in words if letter.isprintable() or letter == "\u200d")
    return clean if most is None or len(clean) <= most else clean[: most - 1].rstrip() + "…"


def number(value: float | int, digits: int = 3) -> str:
    """A number with few digits and a true minus sign; a dash where it is unknown.

    Example:
        >>> number(-0.0625), number(12345), number(math.nan), number(-0.0)
        ('−0.0625', '12,345', '–', '0')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    if value == 0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{abs(value):,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return (MINUS if value < 0 else "") + text


def percent(share: float | int, digits: int = 0) -> str:
    r"""A share as a percentage.

    Example:
        >>> percent(0.9153, 1), percent(math.nan)
        ('91.5\u202f%', '–')
    """
    if not math.isfinite(share):
        return "–"
    return f"{share * 100:.{digits}f}".replace("-", MINUS) + "\u202f%"


def points(share: float | int) -> str:
    """A difference of shares in percentage points, with its sign.

    Example:
        >>> points(0.034), points(-0.25), points(0.001)
        ('+3', '−25', '0')
    """
    if not math.isfinite(share):
        return "–"
    whole = round(share * 100)
    return "0" if whole == 0 else ("+" if whole > 0 else MINUS) + str(abs(whole))


def interval(low: float | int, high: float | int, digits: int = 2) -> str:
    """A confidence interval in brackets; nothing where it is unknown.

    Example:
        >>> interval(0.31, 0.42), interval(math.nan, math.nan)
        ('[0.31, 0.42]', '')
    """
    if math.isnan(low) and math.isnan(high):
        return ""
    return f"[{number(low, digits)}, {number(high, digits)}]"


def percent_interval(low: float | int, high: float | int) -> str:
    """A confidence interval of a share, in percent; nothing where it is unknown.

    Example:
        >>> percent_interval(0.31, 0.42)
        '[31, 42]'
    """
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{low * 100:.0f}, {high * 100:.0f}]"


def sign_of(unit_of_measure: str) -> str:
    """What stands directly after a magnitude's number; nothing where the unit is a word of its own.

    Example:
        >>> sign_of("degrees"), sign_of("fraction of width")
        ('°', '')
    """
    first = unit_of_measure.lower().split(" ")[0].strip(",;")
    return next((sign for start, sign in _SIGNS.items() if first == start or first == f"{start}s"), "")


def amount(value: float | int, unit_of_measure: str, digits: int = 3) -> str:
    """A magnitude with its unit of measure in short.

    Example:
        >>> amount(-15, "degrees"), amount(1.25, "magnification"), amount(0.125, "fraction of width")
        ('−15°', '1.25×', '0.125')
    """
    return number(value, digits) + (sign_of(unit_of_measure) if math.isfinite(value) else "")


def listed(words: Sequence[str], most: int = 4) -> str:
    """Words as a person lists them, the last after "and".

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"]), listed(list("abcdef"), most=3)
        ('a', 'a, b and c', 'a, b, c and 3 more')
    """
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def count(n: float | int, noun: str, plural: str | None = None) -> str:
    """How many of what.

    Example:
        >>> count(1, "image"), count(1000, "image"), count(2, "class", "classes")
        ('1 image', '1,000 images', '2 classes')
    """
    return f"{number(n, 15)} {noun if n == 1 else plural or noun + 's'}"
