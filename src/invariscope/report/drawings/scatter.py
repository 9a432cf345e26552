"""Scatter: a dot per row, a network or a unit, and how the two columns correlate."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from invariscope.core.words import count, interval, number
from invariscope.report.drawings.base import DRAWINGS, Colours, colours_of
from invariscope.report.drawings.captions import alternative, population, told
from invariscope.report.drawings.panels import Mark, arrange, board
from invariscope.report.drawings.spec import Spec
from invariscope.report.drawings.ticks import measured
from invariscope.report.drawings.values import categories, numbers, where_is
from invariscope.report.ink import Drawn

_MOST = 1500


@DRAWINGS.add("scatter")
def draw(spec: Spec, rows: pd.DataFrame, results: pd.DataFrame) -> Drawn:
    """A cloud of dots per colour in every panel."""
    known = rows[~np.isnan(numbers(rows, spec.x)) & ~np.isnan(numbers(rows, spec.y))]
    colours, panels = colours_of(spec, known), categories(spec, known, spec.panel)
    up = measured(numbers(known, spec.y).tolist(), share=spec.share, span=spec.span)
    across = measured(numbers(known, spec.x).tolist(), share=spec.x_share, span=None)
    shape = arrange(len(panels), up.room, 190.0)
    r, besides = _correlations(spec, results, panels, colours)
    titles = ["" if panel is None else f"{spec.label(panel)}\n{r.get(panel, '')}" for panel in panels]
    key = [Mark(m.colour, m.shape, f"{m.text}{_aside(r.get(value))}") for value, m in colours.marks.items() if m.text]
    figure, axes = board(shape, titles, key, across, up, (spec.x_label or spec.x, spec.y_label or spec.y))
    step = max(1, math.ceil(len(known) / _MOST))
    for each, panel in zip(axes, panels, strict=True):
        _panel(each, where_is(known, spec.panel, panel).iloc[::step], spec, colours)
    noun = "unit" if "unit" in known.columns else "dot"
    sample = population(known, [len(known)], noun, "in all") if len(known) else "Nothing is known yet."
    missing = len(rows) - len(known)
    caption = told(
        spec,
        sample,
        f"{count(missing, 'row')} without both values {'is' if missing == 1 else 'are'} left out." if missing else "",
        f"One dot in {step} is drawn." if step > 1 else "",
        colours.said(),
        _said(spec, besides),
    )
    texts = [f"{mark.text}" for mark in key] or [_said(spec, besides).rstrip(".")]
    heads = [title.strip().replace("\n", ", ") for title in titles]
    return Drawn(spec.name, spec.title, caption, alternative("Dots", spec, heads, [t for t in texts if t]), figure)


def _panel(axes: Axes, rows: pd.DataFrame, spec: Spec, colours: Colours) -> None:
    many = len(rows) > 400
    for value, mark in colours.marks.items():
        own = where_is(rows, spec.colour if value is not None else None, value)
        axes.scatter(
            numbers(own, spec.x),
            numbers(own, spec.y),
            s=14 if many else 30,
            marker=mark.shape,
            color=mark.colour,
            alpha=0.45 if many else 0.75,
            linewidth=0,
            zorder=3,
            clip_on=spec.span is not None,
        )


def _correlations(
    spec: Spec, results: pd.DataFrame, panels: list[Any], colours: Colours
) -> tuple[dict[Any, str], list[str]]:
    """What the results say of the correlation: by panel or colour where they tell these apart, and besides."""
    if spec.correlation is None or "quantity" not in results.columns:
        return {}, []
    rows = results[results["quantity"] == spec.correlation]
    if "seed" in rows.columns and rows["seed"].isna().any():
        rows = rows[rows["seed"].isna()]
    split = next((c for c in (spec.panel, spec.colour) if c is not None and c in rows.columns), None)
    apart = [value for value in (*panels, *colours.marks) if value is not None]
    single = results[results["seed"].notna()] if "seed" in results.columns else results.iloc[:0]
    conditions = set() if split is None else set(single[split].dropna())
    found: dict[Any, str] = {}
    besides: list[str] = []
    for _, row in rows.iterrows():
        value = float(row["value"]) if pd.notna(row["value"]) else math.nan
        if math.isnan(value):
            continue
        name = row[split] if split is not None and pd.notna(row[split]) else None
        text = f"r = {number(value, 2)} {_ends(row)}".strip()
        if name in apart:
            found[name] = text
        elif name not in conditions:
            besides.append(text if name is None else f"{spec.label(name)}: {text}")
    return found, besides


def _ends(row: "pd.Series[Any]") -> str:
    low, high = (float(row[c]) if c in row.index and pd.notna(row[c]) else math.nan for c in ("low", "high"))
    return interval(low, high)


def _aside(text: str | None) -> str:
    return f", {text}" if text else ""


def _said(spec: Spec, besides: list[str]) -> str:
    if not besides:
        return ""
    listed = "; ".join(besides)
    return f"{listed[0].upper()}{listed[1:]}." if ":" in listed else f"They correlate with {listed}."
