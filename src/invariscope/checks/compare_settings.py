"""In words: what differs between two runs besides the network, and what that does to their comparison."""

from typing import Any

from invariscope.checks.compare_images import same_images
from invariscope.core.words import count, listed, spoken
from invariscope.runs.run import Run

# Settings that change numbers which are compared, and which numbers.
_TOLD = {
    "tau": "the invariance of units and layers",
    "negative": "the invariance of units and layers",
    "reduce": "the invariance of units and layers",
    "units": "the invariance of units and layers",
    "limit": "which images were measured",
    "seed": "noise and the order of the images",
    "replicates": "the runs' own intervals",
}


def differences(a: Run, b: Run, labels: tuple[str, str], names: list[str], paired: list[str]) -> list[str]:
    """Sentences on what differs between two runs.

    Args:
        a: the reference.
        b: the other.
        labels: what the runs are called.
        names: transformations that are compared.
        paired: those of them that are compared image by image.
    """
    one, other = labels
    told = _images(a, b, labels, names, paired)
    if a.info.get("version") != b.info.get("version"):
        versions = f"{a.info.get('version')} and {b.info.get('version')}"
        told.append(f"{one} and {other} were made by different versions of Invariscope ({versions}).")
    settings = [run.info.get("configuration") or {} for run in (a, b)]
    for name, what in _TOLD.items():
        first, second = (each.get(name) for each in settings)
        if first != second:
            told.append(f"{name} is {_said(first)} in {one} and {_said(second)} in {other}, which changes {what}.")
    recipes = [(run.info.get("network") or {}).get("recipe") or {} for run in (a, b)]
    for name in ("size", "resize", "mean", "std", "standardise"):
        first, second = (recipe.get(name) for recipe in recipes)
        if first != second:
            told.append(
                f"The networks' input differs: {name} is {_said(first)} in {one} and {_said(second)} in {other}."
            )
    traits = [run.info["transformations"] for run in (a, b)]
    for trait, what in (("magnitudes", "grids"), ("settings", "settings")):
        apart = [spoken(name) for name in names if _differs(traits[0][name].get(trait), traits[1][name].get(trait))]
        if apart:
            told.append(f"The {what} of {listed(apart)} differ between {one} and {other}.")
    for label, mine, theirs in ((one, *traits), (other, *traits[::-1])):
        alone = [spoken(name) for name in mine if name not in theirs]
        if alone:
            told.append(f"Only {label} has {listed(alone)}.")
    return told


def _differs(one: Any, other: Any) -> bool:
    # Older runs do not tell a transformation's settings.
    return one is not None and other is not None and one != other


def _images(a: Run, b: Run, labels: tuple[str, str], names: list[str], paired: list[str]) -> list[str]:
    one, other = labels
    own = "both runs' own intervals are combined, which finds less than a comparison image by image"
    if not names or len(paired) == len(names):
        return []
    if same_images(a, b):
        without = [label for label, run in ((one, a), (other, b)) if not (run.path / "outcomes.parquet").exists()]
        why = f"{listed(without)} kept no outcomes of single images" if without else "outcomes of some are not kept"
        return [f"{one} and {other} saw the same images, but {why}: {own}."]
    images = [run.info.get("images") or {} for run in (a, b)]
    said = [f"{count(each.get('n') or 0, 'image')} of {each.get('spec')}" for each in images]
    return [f"{one} and {other} saw different images ({said[0]}; {said[1]}): {own}."]


def _said(value: Any) -> str:
    return "not given" if value is None else str(value)
