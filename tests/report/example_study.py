"""A study's directory from a seeded simulation, with all kinds of drawings: what its page is tested on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RISES = {
    **{"inversion": 0.7, "gaussian-blur": 0.55, "salt-and-pepper": 0.4, "thinning": 0.3, "rotation": 0.04},
    **{"horizontal-filter": 0.5, "vertical-filter": 0.45, "high-pass": 0.3, "gaussian-noise": 0.35, "hue": 0.8},
    **{"grayscale": 0.85, "translation-x": 0.2},
}
FIVE = tuple(RISES)[:5]
SEEN = (0, 1, 15, 30, 45, 54, 60)
LABELS = {"within": "seen classes", "across": "unseen classes", "seen": "seen classes", "unseen": "unseen classes"}
AXIS = "classes seen transformed in training, of 60"
LINES: dict[str, Any] = {
    **dict(kind="lines", name="accuracy", title="Accuracy on transformed images", table="results", x="k", y="value"),
    **dict(caption="Classes that the network saw transformed in training, and classes that it did not."),
    **dict(where={"quantity": ["within", "across"]}, colour="quantity", panel="transformation", labels=LABELS),
    **dict(x_label=AXIS, y_label="accuracy", share=True, span=[0, 1], reference=1 / 60, log_x=False),
}
VIOLINS: dict[str, Any] = {
    **dict(kind="violins", name="units", title="Invariance of single units", table="units", x="k", y="invariance"),
    **dict(caption="Invariance coefficients of the units that are active, all seeds together."),
    **dict(where={"group": ["seen", "unseen"]}, colour="group", panel="transformation", labels=LABELS),
    **dict(x_label=AXIS, y_label="invariance coefficient", share=False, span=[0, 1]),
}
HEAT: dict[str, Any] = {
    **dict(kind="heat", name="matrix", title="Trained with one, tested with another", table="matrix", x="tested"),
    **dict(caption="Accuracy on transformed images.", y="trained", value="value", where={"quantity": "accuracy"}),
    **dict(x_label="tested with", y_label="trained with", share=True, labels={"none": "clean images only"}),
}
SCATTER: dict[str, Any] = {
    **dict(kind="scatter", name="correlation", title="Does invariance go with accuracy on unseen classes?"),
    **dict(caption="A dot is a network.", table="networks", x="invariance_unseen", y="across", share=True),
    **dict(x_label="invariance coefficient, unseen classes", y_label="accuracy, unseen classes", where={}),
    **dict(colour="transformation", correlation="correlation of invariance with across"),
}
BARS: dict[str, Any] = {
    **dict(kind="bars", name="silenced", title="What silencing units costs", table="silenced", x="transformation"),
    **dict(caption="Change of accuracy on unseen classes.", y="value", colour="silenced", share=True, where={}),
    **dict(y_label="change of accuracy"),
}
ALL = (LINES, SCATTER, VIOLINS, HEAT, BARS)
FINDINGS = (
    (
        "holds",
        "accuracy across categories rises with the number of seen ones",
        "Inversion: it rises from 2\u202f%.",
    ),
    ("does not hold", "accuracy across categories rises with the number of seen ones", "Rotation: accuracy stays."),
    ("undecided", "invariance is the same on seen and unseen categories", "Inversion: they differ by at most 0.04."),
    ("", "", "Networks that saw no class transformed were not trained here."),
)


def tables_of(names: Sequence[str], seeds: int, units: int = 24) -> dict[str, pd.DataFrame]:
    """What the jobs of a study would have measured, and the means over seeds."""
    random = np.random.Generator(np.random.PCG64(0))
    results: list[dict[str, Any]] = []
    tables: dict[str, list[dict[str, Any]]] = {"units": [], "networks": [], "matrix": [], "silenced": []}
    for name in names:
        for k in SEEN:
            for seed in range(seeds):
                across = float(np.clip(RISES[name] * k / 54 + random.normal(0, 0.02), 0, 1)) if k < 60 else np.nan
                within = 0.99 - 0.001 * k + random.normal(0, 0.004) if k else np.nan
                invariance = 0.3 + 0.4 * RISES[name] * k / 54 + random.normal(0, 0.02)
                row = dict(transformation=name, magnitude=1.0, k=k, n_classes=60, seed=seed)
                tables["networks"].append(row | dict(across=across, within=within, invariance_unseen=invariance))
                for quantity, value, unit, n in (
                    *(("within", within, "share", 10 * k), ("across", across, "share", 10 * (60 - k))),
                    ("invariance", invariance, "coefficient", units),
                ):
                    ends = dict(low=value - 0.03, high=value + 0.03)
                    results.append(row | dict(quantity=quantity, value=value, n=n, unit_of_measure=unit) | ends)
                for group in ("seen", "unseen"):
                    drawn = np.clip(random.normal(invariance, 0.12, units), 0, 1)
                    drawn[0] = np.nan
                    rows = [row | dict(group=group, unit=unit, invariance=value) for unit, value in enumerate(drawn)]
                    tables["units"] += rows
        for seed in range(seeds):
            for trained in ("none", *names):
                value = 0.97 if trained == name else float(random.uniform(0.02, 0.4))
                told = dict(tested=name, trained=trained, seed=seed, quantity="accuracy")
                tables["matrix"].append(
                    told | dict(value=np.nan if (trained, name) == (names[0], names[-1]) else value)
                )
            for what, cost in (("most invariant", -0.4), ("random", -0.2), ("least invariant", -0.1)):
                value = cost * RISES[name] + random.normal(0, 0.02)
                tables["silenced"].append(dict(transformation=name, silenced=what, seed=seed, value=value))
    for name in (*names, "all together"):
        told = dict(transformation=name, quantity=SCATTER["correlation"], value=0.93, low=0.81, high=0.98, n=seeds)
        results.append(told | dict(unit_of_measure="r"))
    frame = pd.DataFrame(results).astype({"seed": "Int64", "k": "Int64", "n_classes": "Int64"})
    return {"results": frame.assign(source="Jang et al., figure 2"), **{n: pd.DataFrame(t) for n, t in tables.items()}}


def make_study(
    path: Path,
    *,
    transformations: Sequence[str] = FIVE,
    seeds: int = 3,
    figures: Sequence[Mapping[str, Any]] = ALL,
    findings: Sequence[tuple[str, str, str]] = FINDINGS,
    tables: Mapping[str, pd.DataFrame] | None = None,
    failures: Mapping[str, str] | None = None,
    **info: Any,
) -> Path:
    """Write a study's directory and return its path."""
    path.mkdir(parents=True, exist_ok=True)
    for name, table in (tables_of(transformations, seeds) if tables is None else tables).items():
        table.to_parquet(path / f"{name}.parquet", index=False)
    told = [{"sentence": sentence, "verdict": verdict, "claim": claim} for verdict, claim, sentence in findings]
    (path / "findings.json").write_text(json.dumps(told))
    (path / "figures.json").write_text(json.dumps(list(figures)))
    for key, text in (failures or {}).items():
        (path / "failures").mkdir(exist_ok=True)
        (path / "failures" / f"{key}.txt").write_text(text)
    for job in range(4):
        (path / "jobs" / f"k{job}").mkdir(parents=True, exist_ok=True)
        (path / "jobs" / f"k{job}" / "job.json").write_text("{}")
    configuration = {"study": "across-category", "scale": "small", "images": "builtin:glyphs", "network": "builtin:cnn"}
    configuration |= {"k": SEEN, "seeds": list(range(seeds)), "tau": 0.1, "layer": None, "epochs": 16}
    what = {
        **dict(kind="study", study="across-category", scale="small", version="0.1.0", jobs=4, engine="processes:2"),
        **dict(question="Does a network that sees k classes transformed recognise the other classes transformed?"),
        **dict(source="Jang et al., figures 2b, 2c and 5", command="invariscope study across-category"),
        **dict(configuration=configuration, seconds=523.4, warnings=[], started="2025-01-02T03:04:05+00:00"),
        **dict(limits=["A correlation does not say what the cause is.", "With ten classes it may not appear."]),
        **dict(environment={"python": "3.11", "torch": "2.11"}, seeds={"seeds": list(range(seeds))}, key="0a1b"),
    }
    (path / "run.json").write_text(json.dumps(what | info))
    return path
