"""One transformation: every strength recorded once, its tables made from what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.measures.variances import Variances, image_folds
from invariscope.responses.recorder import Recorder, Recording, Strength
from invariscope.runs.examples import Illustrator
from invariscope.runs.plan import Plan, Planned
from invariscope.runs.rows import RowMaker
from invariscope.runs.store import Store
from invariscope.runs.values import Evaluator
from invariscope.tolerance.ablation import ablation_costs
from invariscope.tolerance.curves import curves
from invariscope.tolerance.evidence import Limits, UnitColumns
from invariscope.tolerance.outcomes import outcomes
from invariscope.tolerance.outputs import Sweep
from invariscope.tolerance.predictions import predictions
from invariscope.tolerance.softmax import softmax_table
from invariscope.tolerance.thresholds import thresholds
from invariscope.tolerance.verdict import Evidence, verdict_rows

_NEEDED = ("invariance", "null", "specialization", "n_active")


@dataclass(frozen=True)
class Experiment:
    """What all transformations of a run share.

    Args:
        plan: the measurement.
        recorder: runs the network.
        evaluator: holds the clean responses and compares others with them.
        rows: makes table rows of values.
        clean: the clean pass.
        buffer: for the transformed responses; shape (image, unit).
        illustrator: draws the example images.
        ablation_images: how many images are run again with units silenced.
    """

    plan: Plan
    recorder: Recorder
    evaluator: Evaluator
    rows: RowMaker
    clean: Recording
    buffer: Float[Tensor, "image unit"]
    illustrator: Illustrator
    ablation_images: int

    def limits(self) -> Limits:
        """The verdict's limits."""
        chosen = self.plan.settings
        return Limits(invariant=chosen.invariant, specialized=chosen.specialized, tolerated=chosen.tolerated)


@dataclass
class _Tables:
    units: list[pd.DataFrame] = field(default_factory=list)
    layers: list[pd.DataFrame] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    driving: tuple[Strength, pd.DataFrame, Tensor] | None = None


def run_part(experiment: Experiment, part: Planned, store: Store) -> None:
    """Measure one transformation and write its tables and pictures.

    Args:
        experiment: what all transformations share.
        part: the transformation and its magnitudes.
        store: where the finished part goes.
    """
    plan, seed = experiment.plan, experiment.plan.settings.seed
    transformation = part.transformation
    strengths = [Strength(transformation, magnitude, seed) for magnitude in part.magnitudes]
    floor = _noise_floor(experiment, part)
    folds = image_folds(len(plan.order), seed)
    variances = Variances(experiment.evaluator.clean, plan.groups.weights, folds)
    outputs = torch.empty(len(strengths), *experiment.clean.outputs.shape)
    tables, negative_sites = _Tables(), set[str]()
    illustrated = _illustrated(part)
    for place, strength in enumerate(strengths):
        if strength.magnitude == transformation.identity:
            outputs[place] = experiment.clean.outputs
            continue
        recording = experiment.recorder.record(
            experiment.buffer, strength, tail_site=_tail_site(experiment), tail_images=experiment.ablation_images
        )
        outputs[place] = recording.outputs
        variances.add(experiment.buffer)
        found = experiment.evaluator(experiment.buffer)
        negative_sites |= _negative_sites(experiment, found.negative)
        units = experiment.rows.units(found.values, part.name, strength.magnitude, floor, found.negative)
        tables.units.append(units)
        tables.layers.append(
            experiment.rows.layers(found.values, part.name, strength.magnitude, floor, found.intervals)
        )
        tables.evidence += _evidence(experiment, strength.magnitude, found.values, recording)
        if strength.magnitude == illustrated and plan.hidden and plan.hidden in experiment.evaluator.columns:
            place_of = experiment.evaluator.columns[plan.hidden]
            chosen = units[(units["layer"] == plan.hidden) & (units["group"] == "all")]
            tables.driving = strength, chosen, experiment.buffer[:, place_of].clone()
    over_grid, negative = variances.finish(), experiment.evaluator.negative(experiment.evaluator.clean)
    nan = float("nan")
    tables.units.append(experiment.rows.units(over_grid, part.name, nan, None, negative))
    tables.layers.append(
        experiment.rows.layers(over_grid, part.name, nan, None, variances.intervals(experiment.evaluator.columns))
    )
    sweep = make_sweep(plan, part, outputs)
    store.add(
        part.name,
        {
            "units": pd.concat(tables.units, ignore_index=True),
            "layers": pd.concat(tables.layers, ignore_index=True),
            **tolerance_tables(sweep, plan),
            "verdicts": verdict_rows(sweep, tables.evidence, experiment.limits(), seed=seed),
        },
        lambda folder: _pictures(experiment, folder, strengths, sweep, tables),
        sorted(negative_sites),
    )


def make_sweep(plan: Plan, part: Planned, outputs: Float[Tensor, "magnitude image output"]) -> Sweep:
    """The outputs of one transformation with all that gives them meaning.

    Args:
        plan: the measurement.
        part: the transformation.
        outputs: of the network, at every magnitude in ascending order.
    """
    unit = part.transformation.unit_of_measure
    identity = float(part.transformation.identity)
    return Sweep(part.name, part.magnitudes, identity, unit, outputs, plan.labels, plan.names, plan.scores)


def _noise_floor(experiment: Experiment, part: Planned) -> Float[Tensor, "group unit"] | None:
    """The invariance coefficient under interpolation alone."""
    images = experiment.plan.prepared
    near = part.transformation.near_identity(images.height, images.width)
    if near is None:
        return None
    strength = Strength(part.transformation, near, experiment.plan.settings.seed)
    experiment.recorder.record(experiment.buffer, strength)
    return experiment.evaluator.invariance(experiment.buffer)


def _tail_site(experiment: Experiment) -> str | None:
    return experiment.plan.hidden if experiment.plan.scores and experiment.ablation_images else None


def _evidence(
    experiment: Experiment, magnitude: float, values: Mapping[str, Tensor], recording: Recording
) -> list[Evidence]:
    plan, columns = experiment.plan, experiment.evaluator.columns
    if plan.hidden is None or plan.hidden not in columns:
        return []
    site, found = columns[plan.hidden], []
    layout = next(site.layout for site in plan.sites if site.name == plan.hidden)
    seen_by_tails = sum(len(tail.activation) for tail in recording.tails)
    for row, group in enumerate(plan.groups.names):
        drawn = experiment.evaluator.replicates(experiment.buffer, plan.hidden, row, ("invariance", "specialization"))
        columns_of = {name: values[name][row, site].cpu().numpy() for name in _NEEDED}
        units = UnitColumns(
            **columns_of,
            invariance_replicates=drawn["invariance"].cpu().numpy(),
            specialization_replicates=drawn["specialization"].cpu().numpy(),
        )
        images = plan.groups.weights[row].numpy() > 0
        costs = {}
        if recording.tails and units.active.any():
            labels = None if plan.labels is None else plan.labels[:seen_by_tails]
            costs = ablation_costs(
                recording.tails,
                units.kinds(experiment.limits()),
                units.active,
                labels,
                layout=layout,
                images=images[:seen_by_tails],
                seed=plan.settings.seed,
                repeats=plan.settings.controls,
                replicates=plan.settings.replicates,
            )
        found.append(Evidence(magnitude, group, plan.hidden, units, costs, images))
    return found


def tolerance_tables(sweep: Sweep, plan: Plan) -> dict[str, pd.DataFrame]:
    """Curves and thresholds, and, where the outputs are class scores, what was predicted, for every image too.

    Args:
        sweep: the outputs along one transformation.
        plan: the measurement.
    """
    replicates, seed = plan.settings.replicates, plan.settings.seed
    tables = {
        "curves": curves(sweep, replicates=replicates, seed=seed),
        "thresholds": thresholds(sweep, replicates=replicates, seed=seed),
    }
    if plan.scores:
        tables |= {"softmax": softmax_table(sweep), "predictions": predictions(sweep)}
    if plan.keeps_outcomes:
        tables["outcomes"] = outcomes(sweep, plan.prepared.kept[plan.order.numpy()])
    return tables


def _pictures(
    experiment: Experiment, folder: Path, strengths: list[Strength], sweep: Sweep, tables: _Tables
) -> list[dict[str, Any]]:
    plan = experiment.plan
    predicted = sweep.predicted if plan.scores else np.full((len(strengths), len(plan.order)), -1)
    index = experiment.illustrator.strengths(folder, strengths, predicted, plan.labels)
    if tables.driving and plan.hidden:
        strength, units, moved = tables.driving
        clean = experiment.evaluator.clean[:, experiment.evaluator.columns[plan.hidden]]
        index += experiment.illustrator.driving(folder, strength, plan.hidden, units, (clean, moved), plan.labels)
    return index


def _illustrated(part: Planned) -> float | None:
    """The magnitude at which driving images are shown: the middle of the larger side."""
    identity = part.transformation.identity
    above = [magnitude for magnitude in part.magnitudes if magnitude > identity]
    below = [magnitude for magnitude in reversed(part.magnitudes) if magnitude < identity]
    side = above if len(above) >= len(below) else below
    return side[len(side) // 2] if side else None


def _negative_sites(experiment: Experiment, negative: Tensor) -> set[str]:
    columns, settings = experiment.evaluator.columns, experiment.plan.settings
    if settings.negative is not None:
        return set()
    return {name for name, part in columns.items() if bool(negative[part].any())}
