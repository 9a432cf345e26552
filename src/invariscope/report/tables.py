"""The tables of the page: the verdicts that everyone reads, and the long ones that an engineer opens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from invariscope.core.words import MINUS, amount, interval, number, percent, percent_interval, points, tidy, title
from invariscope.report.answers import Answer
from invariscope.report.limits import nearest, rank_classes
from invariscope.report.profile import layer_order
from invariscope.report.read import RunData
from invariscope.report.sentences import ALL_UNITS, limit_interval, safe_range

CLASSES = 20


@dataclass(frozen=True)
class Table:
    """A table of text.

    Args:
        title: of the table.
        note: what its columns mean, with units and sample sizes.
        head: column headings.
        words: how many columns on the left are words; the others are numbers.
        rows: cells.
    """

    title: str
    note: str
    head: tuple[str, ...]
    words: int
    rows: tuple[tuple[str, ...], ...]


def verdict_row(answer: Answer) -> dict[str, object]:
    """One transformation's row of the first table, as text and shares."""
    intervals = [] if answer.axis.switch else [text for limit in answer.safe if (text := limit_interval(limit))]
    if answer.safe and not answer.axis.switch and all(limit.censored for limit in answer.safe):
        intervals.append("all that was measured")
    if any(limit.reentries for limit in answer.safe):
        intervals.append("recovers further out")
    worst = None if answer.axis.switch and any(not limit.censored for limit in answer.safe) else answer.worst_class
    profile = answer.profile
    place = profile.becomes_invariant if profile is not None else None
    shares = [answer.value(f"{kind}_share") for kind in ("invariant", "specialized", "neither")]
    return {
        "name": answer.name,
        "title": title(answer.name),
        "unit": answer.axis.unit_of_measure,
        "safe": safe_range(answer),
        "safe_interval": " ".join(intervals),
        "at": ("" if answer.axis.switch else "at ") + answer.axis.write(answer.magnitude),
        "there": percent(answer.there.value),
        "there_interval": percent_interval(answer.there.low, answer.there.high),
        "verdict": answer.verdict,
        "slug": answer.verdict.replace(" ", "-"),
        "shares": None if math.isnan(shares[0]) else [0.0 if math.isnan(share) else share for share in shares],
        "share_text": [percent(share) for share in shares],
        "share_interval": percent_interval(answer.value("low"), answer.value("high")),
        "n_active": number(answer.value("n_active"), 9),
        "cost": {kind: _cost(answer, kind) for kind in ("invariant", "specialized")},
        "worst": tidy(worst[0], 22) if worst else "–",
        "worst_at": "" if not worst or answer.axis.switch else answer.axis.write(worst[1].reach, 2),
        "layer": tidy(profile.layers[place], 26) if profile is not None and place is not None else "–",
        "layer_place": f"{place + 1} of {len(profile.layers)}" if profile is not None and place is not None else "",
    }


def _cost(answer: Answer, kind: str) -> tuple[str, str]:
    cost, control = answer.value(f"ablation_{kind}_cost"), answer.value(f"ablation_{kind}_control")
    if math.isnan(cost):
        extra = answer.value(f"ablation_{kind}")
        return ("–", "") if math.isnan(extra) else (points(-extra), "more than random")
    if answer.value(f"{kind}_share") > ALL_UNITS:
        return points(-cost), "every active unit"
    return points(-cost), "" if math.isnan(control) else f"random {points(-control)}"


def long_tables(run: RunData, answers: Sequence[Answer]) -> list[Table]:
    """The tables behind the figures; those without rows are left out."""
    tables = [
        _curves(run, answers),
        _limits(run, answers),
        _by_class(answers),
        _verdicts(run, answers),
        _layers(run, answers),
    ]
    return [table for table in tables if table.rows]


def _curves(run: RunData, answers: Sequence[Answer]) -> Table:
    frame, rows = run.tables["curves"], []
    for answer in answers:
        own = frame[(frame["transformation"] == answer.name) & (frame["class"] == "all")].sort_values("magnitude")
        for row in own.to_dict("records"):
            shares = [
                f"{percent(row[key], 1)} {_percents(row, key)}".strip()
                for key in ("accuracy", "agreement", "softmax_true")
            ]
            rows.append(
                (
                    title(answer.name),
                    amount(row["magnitude"], answer.axis.unit_of_measure),
                    number(row["n"], 9),
                    *shares,
                )
            )
    return Table(
        "Tolerance curves, all classes together",
        "Shares in percent with 95 % intervals; n images.",
        ("Transformation", "Magnitude", "n", "Accuracy", "Agreement with clean", "Softmax of the true class"),
        1,
        tuple(rows),
    )


def _percents(row: dict[Any, Any], key: str) -> str:
    return percent_interval(float(row[f"{key}_low"]), float(row[f"{key}_high"]))


def _limits(run: RunData, answers: Sequence[Answer]) -> Table:
    frame, rows = run.tables["thresholds"], []
    for answer in answers:
        own = frame[(frame["transformation"] == answer.name) & (frame["class"] == "all")]
        for row in own.to_dict("records"):
            unit = answer.axis.unit_of_measure
            found = "never reached" if row["censored"] == 1 else amount(row["threshold"], unit)
            rows.append(
                (
                    title(answer.name),
                    str(row["criterion"]),
                    str(row["side"]),
                    percent(row["level"]),
                    found,
                    interval(float(row["low"]), float(row["high"])),
                    interval(float(row["bracket_low"]), float(row["bracket_high"]), 3),
                    number(row["reentries"]),
                    number(row["n"], 9),
                )
            )
    return Table(
        "Thresholds, all classes together",
        "The smallest magnitude on each side of the identity at which a quality falls below a level (a share of its "
        "clean value), with its 95 % interval (bootstrap over images) and the two measured magnitudes around it. "
        "“–” at an end of an interval: beyond what was measured. Re-entries: how often it rises to the level again "
        "further out.",
        ("Transformation", "Criterion", "Side", "Level", "Threshold", "95 % interval", "Between", "Re-entries", "n"),
        3,
        tuple(rows),
    )


def _by_class(answers: Sequence[Answer]) -> Table:
    ranked = rank_classes([answer.axis for answer in answers], [answer.limits for answer in answers])
    rows = []
    for name, share in ranked[:CLASSES]:
        for answer in answers:
            limit = nearest(answer.axis, answer.limits.get(name, ()))
            if limit is not None:
                found = "never reached" if limit.censored else amount(limit.threshold, answer.axis.unit_of_measure)
                cells = (title(answer.name), limit.sign, found, interval(limit.low, limit.high), number(limit.n, 9))
                rows.append((tidy(name, 40), percent(share), *cells))
    shown = f" The {CLASSES} least tolerant of {len(ranked)} classes." if len(ranked) > CLASSES else ""
    return Table(
        "Thresholds by class, nearest side",
        "Tolerance: mean over the transformations of the class's distance over that of all classes together, at most "
        f"200 %; where one never falls, the furthest measured magnitude stands for it.{shown}",
        ("Class", "Tolerance", "Transformation", "Side", "Threshold", "95 % interval", "n"),
        1,
        tuple(rows),
    )


def _verdicts(run: RunData, answers: Sequence[Answer]) -> Table:
    frame, rows = run.tables["verdicts"], []
    for answer in answers:
        for row in frame[frame["transformation"] == answer.name].to_dict("records"):
            tolerated = "–" if math.isnan(row["tolerated"]) else "yes" if row["tolerated"] == 1 else "no"
            rows.append(
                (
                    title(answer.name),
                    str(row["group"]),
                    str(row["verdict"]) or "–",
                    amount(row["magnitude"], answer.axis.unit_of_measure),
                    tolerated,
                    f"{percent(row['invariant_share'])} {percent_interval(row['low'], row['high'])}".strip(),
                    percent(row["specialized_share"]),
                    percent(row["neither_share"]),
                    *(_pair(row, kind) for kind in ("invariant", "specialized")),
                    number(row["n_active"], 9),
                    number(row["n_images"], 9),
                )
            )
    return Table(
        "Verdicts at every magnitude",
        "Shares of the active units of the last hidden layer. Silencing: points of transformed accuracy lost, and lost "
        "with as many random active units.",
        (
            *("Transformation", "Group", "Verdict", "Magnitude", "Tolerated", "Invariant", "Specialized", "Neither"),
            *("Silencing invariant / random", "Silencing specialized / random", "Active units", "n"),
        ),
        3,
        tuple(rows),
    )


def _pair(row: dict[Any, Any], kind: str) -> str:
    cost, control = row[f"ablation_{kind}_cost"], row[f"ablation_{kind}_control"]
    return "–" if math.isnan(cost) else f"{points(-cost)} / {points(-control)}"


def _layers(run: RunData, answers: Sequence[Answer]) -> Table:
    frame, rows = run.tables["layers"], []
    frame = frame[frame["group"] == "all"]
    order = {name: place for place, name in enumerate(layer_order(run))}
    for answer in answers:
        own = frame[(frame["transformation"] == answer.name) & np.isclose(frame["magnitude"], answer.magnitude)]
        by_layer = {name: rows for name, rows in own.groupby("layer", sort=False)}
        for layer in sorted(by_layer, key=lambda name: order.get(str(name), len(order))):
            measured = by_layer[layer].drop_duplicates("measure").set_index("measure")
            if "invariance" not in measured.index:
                continue
            row = measured.loc["invariance"].to_dict()
            other = measured["mean"].to_dict()["specialization"] if "specialization" in measured.index else math.nan
            quartiles = " · ".join(number(row[key], 2) for key in ("q25", "median", "q75"))
            rows.append(
                (
                    title(answer.name),
                    tidy(layer, 40),
                    amount(answer.magnitude, answer.axis.unit_of_measure),
                    f"{number(row['mean'], 2)} {interval(float(row['low']), float(row['high']))}".strip(),
                    quartiles.replace("– · – · –", "–"),
                    number(row["null"], 2),
                    number(row["noise_floor"], 2),
                    number(float(other), 2).replace("-", MINUS),
                    number(row["n_units"], 9),
                    number(row["n_dead"], 9),
                )
            )
    return Table(
        "Layers, at the furthest tolerated magnitude",
        "Invariance coefficient over the units of each layer: mean with 95 % interval, quartiles, null (pairs of "
        "different images) and noise floor (resampling alone).",
        (
            *("Transformation", "Layer", "Magnitude", "Mean invariance", "Quartiles", "Null", "Noise floor"),
            *("Mean specialization", "Units", "Dead"),
        ),
        2,
        tuple(rows),
    )
