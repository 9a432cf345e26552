"""Carry out a plan: the clean pass, then one transformation after the other, each a finished part on disk."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from invariscope.core.progress import Progress
from invariscope.responses.matrix import matrices, parse_memory
from invariscope.responses.recorder import Recorder, Recording
from invariscope.runs.examples import Illustrator
from invariscope.runs.part import Experiment, run_part
from invariscope.runs.plan import Plan, Planned
from invariscope.runs.positions import execute_positions
from invariscope.runs.rows import RowMaker
from invariscope.runs.store import Store
from invariscope.runs.tails import affordable_images
from invariscope.runs.values import Evaluator
from invariscope.statistics.derangement import neighbours


def execute(plan: Plan, store: Store, progress: Progress) -> dict[str, Any]:
    """Measure every transformation that the store does not hold yet.

    Args:
        plan: the measurement.
        store: where finished parts lie.
        progress: is told of every image.

    Returns:
        `clean_accuracy` (None without labels) and `warnings`.
    """
    settings, n_images = plan.settings, len(plan.order)
    recorder = Recorder(
        plan.network,
        plan.prepared,
        plan.sites,
        plan.order,
        plan.batch_size,
        plan.device,
        settings.units,
        settings.reduce,
        progress,
    )
    columns = recorder.columns()
    missing = [part for part in plan.parts if not store.has(part.name)]
    if settings.units == "positions":
        outputs = execute_positions(plan, recorder, missing, store)
        return {"clean_accuracy": _accuracy(plan, outputs), "warnings": _negative_warning(plan, store)}
    progress.start("measuring", n_images * (1 + sum(_passes(plan, part) for part in missing)))
    memory, home = parse_memory(settings.memory), _home(plan, columns.total)
    # Two more matrices of this size hold the sums over magnitudes.
    with matrices(2, n_images, columns.total, memory // 2, store.spool(), home) as (first, second):
        clean = recorder.record(first)
        experiment = Experiment(
            plan=plan,
            recorder=recorder,
            evaluator=Evaluator.of(first, columns, plan.groups.weights, settings, neighbours(n_images)),
            rows=RowMaker(columns, plan.groups, settings.tau),
            clean=clean,
            buffer=second,
            illustrator=Illustrator(recorder, plan.names, _examples(plan, clean)),
            ablation_images=_ablation_images(plan, recorder),
        )
        for part in missing:
            run_part(experiment, part, store)
    return {"clean_accuracy": _accuracy(plan, clean.outputs), "warnings": _negative_warning(plan, store)}


def _passes(plan: Plan, part: Planned) -> int:
    near = part.transformation.near_identity(plan.prepared.height, plan.prepared.width)
    return len(part.magnitudes) - 1 + (near is not None)


def _home(plan: Plan, units: int) -> torch.device:
    """Where the responses live: with the network, if four matrices take less than half of what is free there."""
    if plan.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(plan.device)
        if 4 * 4 * units * len(plan.order) < free / 2:
            return plan.device
    return torch.device("cpu")


def _ablation_images(plan: Plan, recorder: Recorder) -> int:
    if not plan.scores or plan.settings.units != "channels":
        return 0
    sets = 2 * (1 + plan.settings.controls) * len(plan.groups.names)
    return affordable_images(recorder, plan.hidden, sets)


def _accuracy(plan: Plan, outputs: Float[Tensor, "image output"]) -> float | None:
    if plan.labels is None or not plan.scores:
        return None
    return float((outputs.argmax(1) == plan.labels).double().mean())


def _examples(plan: Plan, clean: Recording) -> list[int]:
    """Rows to show under every strength: surely and rightly classified ones, of different classes."""
    how_many = min(2 if max(plan.prepared.height, plan.prepared.width) <= 64 else 1, len(plan.order))
    if not plan.scores:
        return list(range(how_many))
    sure = clean.outputs.softmax(1).amax(1)
    predicted = clean.outputs.argmax(1)
    if plan.labels is not None:
        sure = sure + (predicted == plan.labels)
    chosen: list[int] = []
    for row in sure.argsort(descending=True, stable=True).tolist():
        if len(chosen) < how_many and int(predicted[row]) not in {int(predicted[other]) for other in chosen}:
            chosen.append(row)
    return chosen


def _negative_warning(plan: Plan, store: Store) -> list[str]:
    sites = store.negative_sites()
    if not sites:
        return []
    names = [site.name for site in plan.sites if site.name in sites]
    return [
        f"{len(names)} of {len(plan.sites)} sites have negative responses, where invariance, specialization and "
        f"active counts are NaN ({', '.join(names[:4])}{', …' if len(names) > 4 else ''}); "
        "--negative rectify, abs or shift defines them."
    ]
