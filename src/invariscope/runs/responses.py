"""The same tables from recorded responses: no network, no images, only how units answered."""

import hashlib
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import invariscope
from invariscope.core.errors import ShapeError
from invariscope.measures.variances import Variances, image_folds
from invariscope.responses.matrix import Columns
from invariscope.responses.recorded import Recorded, from_arrays, from_table, load_recorded
from invariscope.runs.describe import describe
from invariscope.runs.groups import Groups
from invariscope.runs.place import place
from invariscope.runs.rows import RowMaker
from invariscope.runs.run import Run
from invariscope.runs.settings import Settings
from invariscope.runs.store import Store
from invariscope.runs.values import Evaluator
from invariscope.statistics.derangement import derangement
from invariscope.tolerance.evidence import Limits, UnitColumns
from invariscope.tolerance.verdict import Evidence, verdict_rows
from invariscope.transformations.base import TRANSFORMATIONS

LAYER = "recorded"


def measure_responses(
    clean: Any,
    transformed: Any = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    command: str | None = None,
    transformation: str = "transformed",
    magnitude: float = 1.0,
    **settings: Any,
) -> Run:
    """Measure invariance of recorded responses: units, layers, verdicts and report, without a network.

    Repeats of a stimulus are averaged, so trial noise lowers the coefficients; a unit's noise floor is not known.

    Args:
        clean: a file (.npz or .parquet), a table, or responses (stimuli, units) or (stimuli, repeats, units).
        transformed: responses to the transformed stimuli, row by row the same; None where `clean` holds everything.
        out: the run directory; None keeps the run in a temporary one for as long as the result lives.
        resume: go on with what lies in `out`.
        overwrite: replace a run in `out`.
        command: the command line, for the record.
        transformation: what was done to the stimuli, for two arrays.
        magnitude: how strongly, for two arrays.
        **settings: the fields of `Settings` that apply: tau, firing, negative, seed, replicates, limits.

    Returns:
        The run: `.verdicts`, `.units`, `.layers`; no curves, for there are no outputs.

    Raises:
        InvariscopeError: bad input, in one sentence.

    Example:
        >>> import numpy as np
        >>> run = measure_responses(np.array([[1.0, 0.4], [0.5, 0.0]]), np.array([[1.0, 0.8], [0.5, 0.0]]))
        >>> [round(float(value), 3) for value in run.units.dropna(subset="magnitude").invariance]
        [1.0, 0.667]
    """
    started = time.monotonic()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    recorded = _load(clean, transformed, transformation, magnitude)
    chosen = Settings(**settings)
    fingerprint = _fingerprint(recorded)
    plan = {"version": invariscope.__version__, "responses": fingerprint, "settings": chosen.as_dict()}
    with place(out) as chosen_place:
        store = Store.open(chosen_place.path, plan, resume=resume, overwrite=overwrite)
        if not store.done:
            with store.filling():
                parts = _measure(recorded, chosen, store)
                info = _info(recorded, chosen, fingerprint, store, command, began, time.monotonic() - started)
                store.finish(parts, info, describe(info))
        run = Run(store.path)
        chosen_place.keep_for(run)
    return run


def _load(clean: Any, transformed: Any, transformation: str, magnitude: float) -> Recorded:
    if transformed is not None:
        return from_arrays(clean, transformed, transformation=transformation, magnitude=magnitude)
    if isinstance(clean, (str, Path)):
        return load_recorded(Path(clean))
    if isinstance(clean, pd.DataFrame):
        return from_table(clean)
    raise ShapeError("responses take a file, a table, or two arrays (clean and transformed); got one array.")


def _fingerprint(recorded: Recorded) -> str:
    digest = hashlib.blake2b(recorded.clean.numpy().tobytes(), digest_size=16)
    for (name, magnitude), block in recorded.transformed.items():
        digest.update(f"{name}={magnitude!r}".encode() + block.numpy().tobytes())
    return digest.hexdigest()


def _measure(recorded: Recorded, settings: Settings, store: Store) -> list[str]:
    n_images, n_units = recorded.clean.shape
    columns = Columns({LAYER: n_units})
    groups = Groups(("all",), torch.ones(1, n_images), None)
    rows = RowMaker(columns, groups, settings.tau)
    partner = derangement(n_images, settings.seed)
    evaluator = Evaluator.of(recorded.clean, columns, groups.weights, settings, partner)
    limits = Limits(invariant=settings.invariant, specialized=settings.specialized, tolerated=settings.tolerated)
    names = list(dict.fromkeys(name for name, _ in recorded.transformed))
    for name in names:
        units, layers, evidence, two_signs = [], [], [], False
        variances = Variances(recorded.clean, groups.weights, image_folds(n_images, settings.seed))
        for (other, magnitude), block in recorded.transformed.items():
            if other != name:
                continue
            variances.add(block)
            seen = evaluator(block)
            two_signs |= settings.negative is None and bool(seen.negative.any())
            units.append(rows.units(seen.values, name, magnitude, None, seen.negative))
            layers.append(rows.layers(seen.values, name, magnitude, None, seen.intervals))
            found = {key: seen.values[key][0].numpy() for key in ("invariance", "null", "specialization", "n_active")}
            drawn = evaluator.replicates(block, LAYER, 0, ("invariance", "specialization"))
            evidence.append(
                Evidence(
                    magnitude,
                    "all",
                    LAYER,
                    UnitColumns(
                        **found,
                        invariance_replicates=drawn["invariance"].numpy(),
                        specialization_replicates=drawn["specialization"].numpy(),
                    ),
                    {},
                    np.ones(n_images, dtype=bool),
                )
            )
        over_grid = variances.finish()
        units.append(rows.units(over_grid, name, float("nan"), None, evaluator.negative(recorded.clean)))
        layers.append(rows.layers(over_grid, name, float("nan"), None, variances.intervals(columns)))
        tables = {
            "units": pd.concat(units, ignore_index=True),
            "layers": pd.concat(layers, ignore_index=True),
            "verdicts": verdict_rows(None, evidence, limits, name=name, seed=settings.seed),
        }
        store.add(_part(name, names), tables, negative_sites=[LAYER] if two_signs else [])
    return [_part(name, names) for name in names]


def _part(name: str, names: Sequence[str]) -> str:
    # A recorded transformation may be called anything; its part's folder may not.
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
    return f"{names.index(name):03d}-{plain}"[:100]


def _info(
    recorded: Recorded,
    settings: Settings,
    fingerprint: str,
    store: Store,
    command: str | None,
    began: str,
    seconds: float,
) -> dict[str, Any]:
    warnings = []
    if store.negative_sites():
        warnings.append(
            "some responses are negative, where invariance, specialization and active counts are NaN; "
            "--negative rectify, abs or shift defines them."
        )
    if recorded.repeats > 1:
        warnings.append(f"{recorded.repeats} or more repeats per stimulus were averaged; trial noise is not corrected.")
    return {
        "version": invariscope.__version__,
        "command": command,
        "kind": "responses",
        "configuration": settings.as_dict(),
        "seeds": {"seed": settings.seed},
        "network": {"spec": recorded.source, "fingerprint": None, "classes": [], "recipe": None, "outputs": 0},
        "images": {
            "spec": recorded.source,
            "fingerprint": fingerprint,
            "n": len(recorded.stimuli),
            "skipped": 0,
            "classes": [],
            "size": None,
            "labelled": False,
        },
        "device": "cpu",
        "seconds": round(seconds, 2),
        "warnings": warnings,
        "clean_accuracy": None,
        "started": began,
        "environment": {"python": platform.python_version(), "torch": torch.__version__, "platform": platform.system()},
        "sites": [
            {
                "name": LAYER,
                "kind": "activation",
                "operation": "recorded",
                "shape": [len(recorded.units)],
                "layout": "features",
            }
        ],
        "last_hidden_site": LAYER,
        "transformations": {
            name: {
                "unit_of_measure": TRANSFORMATIONS[name].unit_of_measure if name in TRANSFORMATIONS else "",
                "identity": TRANSFORMATIONS[name].identity if name in TRANSFORMATIONS else 0.0,
                "magnitudes": sorted(magnitude for other, magnitude in recorded.transformed if other == name),
                "summary": "",
            }
            for name in dict.fromkeys(name for name, _ in recorded.transformed)
        },
    }
