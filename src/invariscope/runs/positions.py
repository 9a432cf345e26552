"""Every channel at every position as a unit: too many to hold, so responses are streamed twice and only sums stay."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from invariscope.measures.evaluate import Accumulator
from invariscope.measures.moments import ROUNDING
from invariscope.measures.negative import without_negative
from invariscope.measures.variances import Variances
from invariscope.responses.matrix import Columns
from invariscope.responses.pair import Pair
from invariscope.responses.recorder import Recorder, Strength, check_numbers
from invariscope.responses.reference import Reference
from invariscope.runs.part import make_sweep, tolerance_tables
from invariscope.runs.plan import Plan, Planned
from invariscope.runs.rows import RowMaker
from invariscope.runs.store import Store
from invariscope.runs.values import by_site
from invariscope.statistics.derangement import neighbours
from invariscope.statistics.sums import exact_device


@dataclass
class _Extremes:
    """What the first pass finds of one set of responses."""

    high: Float[Tensor, " unit"]
    low: Float[Tensor, " unit"]

    def take(self, responses: Float[Tensor, "image unit"]) -> None:
        torch.maximum(self.high, responses.amax(0), out=self.high)
        torch.minimum(self.low, responses.amin(0), out=self.low)


@dataclass(frozen=True)
class Clean:
    """What the measures must know of the clean responses before they are compared.

    Args:
        high: largest response; shape (unit,).
        low: smallest response; shape (unit,).
        mean: shape (unit,).
        firing: threshold that the top share exceeds; shape (unit,).
        outputs: of the network, in processing order; shape (image, output).
    """

    high: Float[Tensor, " unit"]
    low: Float[Tensor, " unit"]
    mean: Float[Tensor, " unit"]
    firing: Float[Tensor, " unit"]
    outputs: Float[Tensor, "image output"]


def batches(recorder: Recorder) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows, places and images in batches of two images or more, so that neighbours stay together.

    The last image of an odd number has its neighbours in its own batch, for the null compares neighbours.
    """
    size = max(recorder.batch_size + recorder.batch_size % 2, 2)
    starts = list(range(0, len(recorder.order), size))
    if len(starts) > 1 and len(recorder.order) - starts[-1] == 1:
        starts.pop()
    for place, start in enumerate(starts):
        stop = starts[place + 1] if place + 1 < len(starts) else len(recorder.order)
        indices = recorder.order[start:stop]
        yield slice(start, stop), indices, recorder.images.batch(indices, recorder.device)


class PositionReader:
    """Reads the responses of every position of one batch.

    Args:
        recorder: runs the network.
        columns: which units belong to which site.
    """

    def __init__(self, recorder: Recorder, columns: Columns) -> None:
        self.recorder, self.columns = recorder, columns

    def __call__(self, images: Tensor) -> tuple[Float[Tensor, "image unit"], Float[Tensor, "image output"]]:
        """Responses of all units, and outputs."""
        matrix = torch.empty(len(images), self.columns.total, device=self.recorder.device)
        output, _ = self.recorder.forward(images, matrix)
        return matrix, output


def first_pass(reader: PositionReader, share: float) -> Clean:
    """Extremes, means and firing thresholds of the clean responses.

    Args:
        reader: reads batches.
        share: of the clean responses that count as firing.
    """
    recorder, total = reader.recorder, reader.columns.total
    device, n_images = recorder.device, len(recorder.order)
    extremes = _blank(total, device)
    mean = torch.zeros(total, dtype=torch.float64, device=exact_device(device))
    firing = min(int(share * n_images + 1e-9), n_images - 1) + 1
    top: Tensor | None = None
    outputs = []
    for _, _, images in batches(recorder):
        responses, output = reader(images)
        outputs.append(output)
        extremes.take(responses)
        mean += responses.sum(0).to(mean) / n_images
        joined = responses if top is None else torch.cat([top, responses])
        top = joined.topk(min(firing, len(joined)), dim=0).values
        recorder.progress.advance(len(images))
    assert top is not None
    joined_outputs = torch.cat(outputs)
    check_numbers(joined_outputs, None)
    return Clean(extremes.high, extremes.low, mean.to(extremes.high.dtype), top[-1], joined_outputs)


def run_positions(
    plan: Plan, reader: PositionReader, clean: Clean, rows: RowMaker, part: Planned, store: Store
) -> None:
    """Measure every position under one transformation.

    Args:
        plan: the measurement.
        reader: reads batches.
        clean: of the first pass.
        rows: makes table rows.
        part: the transformation.
        store: where the finished part goes.
    """
    recorder, groups = reader.recorder, plan.groups
    identity, seed = part.transformation.identity, plan.settings.seed
    near = part.transformation.near_identity(plan.prepared.height, plan.prepared.width)
    strengths = [Strength(part.transformation, value, seed) for value in part.magnitudes if value != identity]
    floors = [] if near is None else [Strength(part.transformation, near, seed)]
    outputs = torch.empty(len(strengths), *clean.outputs.shape)
    found = [_blank(reader.columns.total, recorder.device) for _ in [*strengths, *floors]]
    for row, indices, images in batches(recorder):
        for place, strength in enumerate([*strengths, *floors]):
            responses, output = reader(strength(images, indices))
            found[place].take(responses)
            if place < len(strengths):
                outputs[place, row] = output
            recorder.progress.advance(len(images))
    for strength, answered in zip(strengths, outputs, strict=True):
        check_numbers(answered, strength)
    judges = [_Judge(plan, clean, extremes, reader.columns) for extremes in found]
    variances: Variances | None = None
    for row, indices, images in batches(recorder):
        responses, _ = reader(images)
        weights = groups.weights[:, row]
        here = Variances(responses, weights)
        for place, strength in enumerate([*strengths, *floors]):
            moved, _ = reader(strength(images, indices))
            judges[place].take(responses, moved, weights)
            if place < len(strengths):
                here.add(moved)
            recorder.progress.advance(len(images))
        variances = here if variances is None else variances.merge(here)
    assert variances is not None
    every = torch.empty(len(part.magnitudes), *clean.outputs.shape)
    answers = iter(outputs)
    for place, magnitude in enumerate(part.magnitudes):
        every[place] = clean.outputs if magnitude == identity else next(answers)
    tables = _tables(part, rows, strengths, judges, variances)
    two_signs = [] if plan.settings.negative else sorted(_two_signs(judges, reader.columns))
    store.add(
        part.name,
        tables | tolerance_tables(make_sweep(plan, part, every), plan),
        lambda folder: [],
        two_signs,
    )


class _Judge:
    """The sums of one strength."""

    def __init__(self, plan: Plan, clean: Clean, moved: _Extremes, columns: Columns) -> None:
        self._how = plan.settings.negative
        self._low = torch.minimum(clean.low, moved.low)
        self.negative: Bool[Tensor, " unit"] = by_site(self._low < 0, columns)
        mapped = self._how is not None and bool(self.negative.any())
        high = torch.maximum(clean.high, moved.high)
        if mapped:
            high = self._map(torch.stack([high, self._low])).amax(0)
        self._mapped = mapped
        reference = Reference(
            peak=high,
            clean_mean=clean.mean,
            firing=clean.firing,
            scale=torch.maximum(clean.high.abs(), clean.low.abs()),
            tau=plan.settings.tau,
        )
        same = torch.maximum(clean.high, moved.high) - self._low <= ROUNDING * self._low.abs()
        hidden = same & (high > 0) if mapped else same & (high > 0) | self.negative
        self.sums = Accumulator(reference, negative=hidden, fused="auto")
        self.mapped_sums = self.sums
        if mapped:
            self.mapped_sums = Accumulator(reference, negative=hidden, fused="auto")

    def _map(self, responses: Tensor) -> Tensor:
        assert self._how is not None
        return torch.where(self.negative, without_negative(responses, self._how, self._low), responses)

    def take(self, clean: Tensor, moved: Tensor, weights: Tensor) -> None:
        partner = neighbours(len(moved))
        self.sums.add(Pair(clean, moved, None if partner is None else moved[partner]), weights)
        if self._mapped:
            changed = self._map(moved)
            other = None if partner is None else changed[partner]
            self.mapped_sums.add(Pair(self._map(clean), changed, other), weights)

    def compute(self) -> dict[str, Tensor]:
        values = self.sums.compute()
        if self._mapped:
            mapped = self.mapped_sums.compute()
            names = {name for one in self.sums.measures if one.nonnegative for name in one.columns}
            values |= {name: mapped[name] for name in names}
        return values


def _blank(units: int, device: torch.device) -> _Extremes:
    return _Extremes(torch.full((units,), -torch.inf, device=device), torch.full((units,), torch.inf, device=device))


def _two_signs(judges: list[_Judge], columns: Columns) -> set[str]:
    return {name for judge in judges for name, part in columns.items() if bool(judge.negative[part].any())}


def _tables(
    part: Planned, rows: RowMaker, strengths: list[Strength], judges: list[_Judge], variances: Variances
) -> dict[str, pd.DataFrame]:
    floor = judges[len(strengths)].compute()["invariance"] if len(judges) > len(strengths) else None
    units, layers = [], []
    negative = torch.zeros(rows.columns.total, dtype=torch.bool)
    for strength, judge in zip(strengths, judges, strict=False):
        values = judge.compute()
        negative |= judge.negative.cpu()
        units.append(rows.units(values, part.name, strength.magnitude, floor, judge.negative))
        layers.append(rows.layers(values, part.name, strength.magnitude, floor))
    over_grid = variances.finish()
    units.append(rows.units(over_grid, part.name, float("nan"), None, negative))
    layers.append(rows.layers(over_grid, part.name, float("nan"), None))
    return {"units": pd.concat(units, ignore_index=True), "layers": pd.concat(layers, ignore_index=True)}


def execute_positions(plan: Plan, recorder: Recorder, missing: list[Planned], store: Store) -> Tensor:
    """Measure every position under every transformation that the store does not hold yet.

    Args:
        plan: the measurement.
        recorder: runs the network.
        missing: the transformations to do.
        store: where finished parts go.

    Returns:
        The clean outputs; shape (image, output).
    """
    passes = 1
    for part in missing:
        near = part.transformation.near_identity(plan.prepared.height, plan.prepared.width)
        passes += 1 + 2 * (len(part.magnitudes) - 1 + (near is not None))
    recorder.progress.start("measuring", passes * len(plan.order))
    columns = recorder.columns()
    reader, rows = PositionReader(recorder, columns), RowMaker(columns, plan.groups, plan.settings.tau)
    clean = first_pass(reader, plan.settings.firing)
    for part in missing:
        run_positions(plan, reader, clean, rows, part, store)
    return clean.outputs
