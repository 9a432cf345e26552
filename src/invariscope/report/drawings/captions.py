"""What a caption says of samples: how many seeds, networks, units and images, what is unknown, what bars are."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from invariscope.core.words import count, listed, number, percent
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.values import Mean, numbers


def told(spec: Spec, *sentences: str) -> str:
    """The study's own caption, and after it what is said here."""
    begun = spec.caption.strip()
    begun += "" if not begun or begun.endswith((".", "!", "?", ":")) else "."
    return " ".join(part for part in (begun, *(sentence.strip() for sentence in sentences)) if part)


def samples(spec: Spec, rows: pd.DataFrame, means: Iterable[Mean], *, bars: str = "Bars") -> str:
    """How many seeds and networks a drawing of means rests on, and what its bars are, where it has some."""
    missing = 0
    every = []
    for mean in means:
        missing += mean.unknown
        every += [mean] if mean.each else []
    if not every:
        return "Nothing is known yet."
    seeds = [mean.seeds for mean in every if mean.seeds]
    said = [_range(seeds, "seed")] if seeds else []
    said += [count(rows["network"].nunique(), "network")] if "network" in rows.columns else []
    if known := _known(spec, rows):
        said.append(f"each value from {_plain_range(known)} {spec.counts or 'images or units'}")
    text = f"n: {', '.join(said)}." if said else ""
    if not bars:
        text += ""
    elif any(mean.seeds > 1 for mean in every):
        text += f" {bars} are 95 % intervals over seeds (t)."
    elif any(not math.isnan(mean.low) for mean in every):
        text += f" {bars} are 95 % intervals as the table has them."
    return text + unknown(missing)


def unknown(n: int) -> str:
    """That values are missing; nothing where none is."""
    if not n:
        return ""
    return " 1 value is not known and left out." if n == 1 else f" {n:,} values are not known and left out."


def population(rows: pd.DataFrame, sizes: Sequence[int], noun: str, each: str) -> str:
    """How many values stand in each violin or cloud, and of how many networks and seeds they are."""
    said = [f"{_range(sizes, noun)} {each}"] if sizes else []
    said += [count(rows["network"].nunique(), "network")] if "network" in rows.columns else []
    seeds = rows["seed"].nunique() if "seed" in rows.columns else 0
    said += [count(seeds, "seed")] if seeds else []
    return f"n: {', '.join(said)}." if said else ""


def _known(spec: Spec, rows: pd.DataFrame) -> list[float]:
    if "n" not in rows.columns:
        return []
    single = rows[rows["seed"].notna()] if "seed" in rows.columns and rows["seed"].notna().any() else rows
    known = ~np.isnan(numbers(single, _measured(spec)))
    sizes = [float(size) for size in numbers(single, "n")[known] if size > 0]
    return sizes if sizes and max(sizes) > 1 else []


def _measured(spec: Spec) -> str:
    """The column of the numbers that are drawn."""
    return {"heat": spec.value, "field": spec.value, "intervals": spec.x}.get(spec.kind, spec.y)


def _range(values: Sequence[int], noun: str) -> str:
    low, high = min(values), max(values)
    return count(high, noun) if low == high else f"{low} to {count(high, noun)}"


def _plain_range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return number(high, 9) if low == high else f"{number(low, 9)} to {number(high, 9)}"


def in_words(spec: Spec, value: float, *, share: bool | None = None) -> str:
    """A number as the drawing writes it."""
    return percent(value) if (spec.share if share is None else share) else number(value)


def alternative(kind: str, spec: Spec, panels: Sequence[str], said: Sequence[str]) -> str:
    """What a drawing says, for a reader who does not see it."""
    what = f"{kind}: {spec.title}"
    where = f", in panels for {listed(list(panels), 12)}" if len(panels) > 1 else ""
    return f"{what}{where}. {'; '.join(said)}." if said else f"{what}{where}."
