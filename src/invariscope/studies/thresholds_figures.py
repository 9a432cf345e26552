"""What is drawn of thresholds: the share of images that keep an answer, and where medians and means lie."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from invariscope.core.words import percent, spoken, title
from invariscope.findings.figures import Figure, Intervals, Lines
from invariscope.statistics.proportions import wilson
from invariscope.tolerance.outputs import ALL
from invariscope.tolerance.search import Found

SIDES = {"+": "above the identity", "-": "below the identity"}
_POINTS, _CLASSES = 60, 24
_MEANS, _MEDIANS = "Mean of all images", "Median image"


def quality_name(criterion: str, level: float) -> str:
    """A criterion and its level in words.

    Args:
        criterion: of a table.
        level: NaN where it has none.

    Example:
        >>> quality_name("accuracy", 0.5), quality_name("first-flip", float("nan"))
        ('accuracy below 50\u202f%', 'another prediction')
    """
    if criterion == "first-flip":
        return "another prediction" if np.isnan(level) else f"prediction kept by {percent(level)}"
    return f"{criterion} below {percent(level)}"


def drawn_tables(found: Found) -> dict[str, pd.DataFrame]:
    """The tables that figures are drawn from, and the tidy one.

    Args:
        found: the tables of the search.

    Returns:
        "kept": the share of images against magnitude; "shown": a row per dot; "results": tidy, a row per number.
    """
    return {"kept": _kept(found), "shown": _shown(found), "results": _results(found)}


def figures(tables: Mapping[str, pd.DataFrame]) -> list[Figure]:
    """What the page draws.

    Args:
        tables: of `drawn_tables`.
    """
    drawn: list[Figure] = [
        Lines(
            name="kept",
            title="How many images keep their answer",
            caption=(
                "The share of images for which a quality has not yet fallen anywhere between the identity and the "
                "magnitude. A prediction is kept while it is the clean one; the softmax is that of the true class, as "
                "a share of its clean value. Each image's fall is known to one step of the resolution."
            ),
            x="magnitude",
            y="value",
            table="kept",
            colour="quality",
            panel="transformation",
            aside="unit_of_measure",
            y_label="Share of the images",
            x_label="Magnitude",
            labels={name: title(name) for name in tables["kept"]["transformation"].unique()},
            share=True,
            span=(0.0, 1.0),
            counts="images",
            band=True,
            free_x=True,
        )
    ]
    for name, rows in tables["shown"].groupby("transformation", sort=False):
        classes = rows.loc[rows["heading"] == _MEDIANS, "row"].nunique() - 1
        drawn.append(
            Intervals(
                name=f"thresholds-{_file(str(name))}",
                title=f"Where answers give way under {spoken(str(name))}",
                caption=(
                    "Above, the magnitudes at which the mean quality of all images falls below a share of its clean "
                    "value; below, the magnitude at which the median image's prediction changes, over all images and "
                    "over those of each class. A row without a dot does not fall as far as was looked."
                    + (" Classes are those that give way first and last." if classes == _CLASSES else "")
                ),
                x="value",
                y="row",
                table="shown",
                where={"transformation": str(name)},
                colour="side",
                group="heading",
                x_label=f"Magnitude ({rows['unit_of_measure'].iloc[0]})",
                counts="images",
            )
        )
    return drawn


def _file(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in name)


def _kept(found: Found) -> pd.DataFrame:
    """The share of images whose quality has not fallen at a magnitude, at some steps of every side."""
    parts = []
    # An image that is right when clean is wrong where its prediction changes: accuracy would be drawn twice.
    images = found.images[found.images["criterion"] != "accuracy"]
    for (criterion, level, side), rows in images.groupby(["criterion", "level", "side"], sort=False, dropna=False):
        for name, own in rows.groupby("transformation", sort=False):
            cost = found.costs[(found.costs["transformation"] == name) & (found.costs["side"] == side)].iloc[0]
            magnitudes, sign = _steps(cost), 1.0 if side == "+" else -1.0
            near = sign * own["bracket_low" if side == "+" else "bracket_high"].to_numpy()
            share = (near[:, None] >= sign * magnitudes - 1e-9).mean(axis=0)
            low, high = wilson(np.rint(share * len(near)), len(near))
            quality = "prediction" if criterion == "first-flip" else f"softmax, {percent(float(str(level)))} of it"
            held = {"magnitude": magnitudes, "value": share, "low": low, "high": high, "n": len(near)}
            parts.append(
                pd.DataFrame(
                    {"transformation": name, "quality": quality, **held, "unit_of_measure": cost["unit_of_measure"]}
                )
            )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_KEPT)
    # Both sides have the identity.
    table = table.drop_duplicates(["transformation", "quality", "magnitude"])
    return table.sort_values(["transformation", "quality", "magnitude"], ignore_index=True, key=_as_found(table))


_KEPT = ["transformation", "quality", "magnitude", "value", "low", "high", "n", "unit_of_measure"]


def _as_found(table: pd.DataFrame) -> Callable[[pd.Series], pd.Series]:
    """Sorts names as they come, and numbers by size."""
    orders = {column: {name: place for place, name in enumerate(table[column].unique())} for column in _KEPT[:2]}
    return lambda column: column.map(orders[str(column.name)]) if column.name in orders else column


def _steps(cost: pd.Series) -> Float[ndarray, " step"]:
    """Some of the magnitudes of a side, the identity and the end among them."""
    steps = int(cost["steps"])
    chosen = np.unique(np.rint(np.linspace(0, steps, min(_POINTS, steps + 1))))
    outward = cost["resolution"] if cost["side"] == "+" else -cost["resolution"]
    magnitudes: ndarray = np.round(cost["identity"] + outward * chosen, 12)
    magnitudes[-1] = cost["end"]
    return magnitudes


def _shown(found: Found) -> pd.DataFrame:
    """A row per dot: the means of all images by criterion, then the median images of all and of every class."""
    means = found.thresholds[(found.thresholds["class"] == ALL) & (found.thresholds["criterion"] != "first-flip")]
    means = means.assign(
        heading=_MEANS,
        row=[quality_name(name, level) for name, level in zip(means["criterion"], means["level"], strict=True)],
        value=means["threshold"],
    )
    medians = found.medians[found.medians["criterion"] == "first-flip"]
    medians = medians.assign(
        heading=_MEDIANS, row=medians["class"].replace({ALL: "all classes"}), value=medians["median"]
    )
    kept = (
        pd.concat([_ends(rows) for _, rows in medians.groupby("transformation", sort=False)])
        if len(medians)
        else medians
    )
    table = pd.concat([means, kept], ignore_index=True)
    units = dict(zip(found.costs["transformation"], found.costs["unit_of_measure"], strict=True))
    table = table.assign(side=table["side"].map(SIDES), unit_of_measure=table["transformation"].map(units))
    return table[["transformation", "heading", "row", "side", "value", "low", "high", "n", "unit_of_measure"]]


def _ends(medians: pd.DataFrame) -> pd.DataFrame:
    """All rows, or those of the classes that give way first and last."""
    names = [name for name in medians["class"].unique() if name != ALL]
    if len(names) <= _CLASSES:
        return medians
    order = by_tolerance(medians)
    chosen = [ALL, *order[: _CLASSES // 2], *order[-_CLASSES // 2 :]]
    return pd.concat([medians[medians["class"] == name] for name in chosen])


def by_tolerance(medians: pd.DataFrame) -> list[str]:
    """Classes from the one that gives way first to the one that gives way last, by their nearer side.

    Args:
        medians: of one transformation and one criterion, a row per class and side.
    """
    reach = (medians["median"] - medians["identity"]).abs().fillna(np.inf)
    nearer = reach.groupby(medians["class"].to_numpy()).min().drop(ALL, errors="ignore")
    return [str(name) for name in nearer.sort_values(kind="stable").index]


def _results(found: Found) -> pd.DataFrame:
    """Tidy: a row per transformation, class, side and quantity."""
    medians = found.medians[found.medians["criterion"] == "first-flip"]
    parts = [medians.assign(quantity="median image's first other prediction", value=medians["median"])]
    means = found.thresholds[found.thresholds["criterion"] != "first-flip"]
    named = [quality_name(name, level) for name, level in zip(means["criterion"], means["level"], strict=True)]
    units = dict(zip(found.costs["transformation"], found.costs["unit_of_measure"], strict=True))
    parts.append(
        means.assign(quantity=named, value=means["threshold"], unit_of_measure=means["transformation"].map(units))
    )
    table = pd.concat(parts, ignore_index=True)
    return table[["transformation", "class", "side", "quantity", "value", "low", "high", "n", "unit_of_measure"]]
