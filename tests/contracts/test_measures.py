"""What every measure promises, checked for every one registered."""

import pytest
import torch

from invariscope.core.errors import UnknownNameError
from invariscope.measures.base import MEASURES
from invariscope.measures.evaluate import Accumulator, evaluate
from invariscope.responses.pair import Pair
from measure_world import awkward_pair, groups, reference_of

every = pytest.mark.parametrize("name", list(MEASURES))


def cut(pair, rows, units=slice(None)):
    return Pair(pair.clean[rows, units], pair.transformed[rows, units], pair.other[rows, units])


def values(name, pair, weights, **settings):
    return evaluate(pair, reference_of(pair), weights, [MEASURES[name]()], **settings)


def same(one, two, rtol=1e-6):
    assert one.keys() == two.keys()
    for column in one:
        torch.testing.assert_close(one[column], two[column], rtol=rtol, atol=1e-7, equal_nan=True, msg=column)


@every
def test_it_says_itself_in_one_sentence_and_names_its_source(name):
    first, *rest = (MEASURES[name].__doc__ or "").strip().splitlines()
    assert first.endswith(".")
    assert len(first) < 120
    assert any("Source:" in line for line in rest)


@every
def test_it_gives_its_columns_in_float64_by_row_and_unit(name):
    pair = awkward_pair()
    found = values(name, pair, groups(90))
    assert tuple(found) == MEASURES[name].columns
    for one in found.values():
        assert one.shape == (3, 12)
        assert one.dtype == torch.float64


def test_no_two_measures_give_the_same_column():
    columns = [column for name in MEASURES for column in MEASURES[name].columns]
    assert len(columns) == len(set(columns))


@every
def test_batches_and_their_order_do_not_matter(name):
    pair, weights = awkward_pair(), groups(90)
    parts = []
    for rows in torch.randperm(90).split(23):
        parts.append(Accumulator(reference_of(pair), [MEASURES[name]()]))
        parts[-1].add(cut(pair, rows), weights[:, rows])
    merged = parts[3].merge(parts[0]).merge(parts[2].merge(parts[1]))
    same(merged.compute(), values(name, pair, weights))


@every
def test_an_image_without_weight_does_not_count(name):
    pair, weights = awkward_pair(), torch.ones(1, 90)
    weights[:, 60:] = 0
    reference = reference_of(pair)
    measures = [MEASURES[name]()]
    same(
        evaluate(pair, reference, weights, measures),
        evaluate(cut(pair, slice(0, 60)), reference, torch.ones(1, 60), measures),
    )


@every
def test_units_do_not_leak_into_each_other(name):
    pair = awkward_pair()
    together = values(name, pair, groups(90))
    for unit in range(12):
        part = slice(unit, unit + 1)
        apart = values(name, cut(pair, slice(None), part), groups(90))
        same({column: one[:, part] for column, one in together.items()}, apart)


@every
def test_it_leaves_the_responses_as_they_are(name):
    pair = awkward_pair()
    copies = [one.clone() for one in (pair.clean, pair.transformed, pair.other)]
    values(name, pair, groups(90))
    for one, copy in zip((pair.clean, pair.transformed, pair.other), copies, strict=True):
        assert torch.equal(one, copy)


@every
def test_no_column_is_infinite_and_a_silent_layer_is_never_invariant(name):
    silent = torch.zeros(20, 3)
    found = values(name, Pair(silent, silent, silent), torch.ones(1, 20))
    for column, one in found.items():
        assert not one.isinf().any()
        # 0/0 is unknown: only counts, shares of all images and the variance are 0.
        counted = column in ("n_active", "active_fraction", "clean_variance", "goodfellow_global")
        counted |= column == "goodfellow_local_unconditioned"
        assert (one == 0).all() if counted else one.isnan().all()


@every
def test_negative_responses_are_hidden_exactly_where_they_have_no_meaning(name):
    pair = awkward_pair()
    clean = pair.clean.clone()
    clean[0, 0] = -1
    found = values(name, Pair(clean, pair.transformed, pair.other), torch.ones(1, 90))
    for one in found.values():
        assert one[0, 1].isnan().item() == MEASURES[name].nonnegative


@every
def test_it_can_be_differentiated_in_its_sums(name):
    pair = awkward_pair()
    seen = Accumulator(reference_of(pair), [MEASURES[name]()])
    seen.add(pair, torch.ones(1, 90))
    sums = {key: one.requires_grad_() for key, one in seen.sums.items()}
    for column in seen.compute_from(sums, seen.count).values():
        known = column.where(~column.isnan(), 0.0).sum()
        slopes = torch.autograd.grad(known, list(sums.values()), retain_graph=True, allow_unused=True)
        alive = [slope[:, :4] for slope in slopes if slope is not None]
        assert all(slope.isfinite().all() for slope in alive)


@every
def test_other_types_of_number_are_taken(name):
    pair = awkward_pair()
    double = Pair(pair.clean.double(), pair.transformed.double(), pair.other.double())
    # The unit at 10,000 has its mean and threshold in the responses' own type.
    few = slice(0, 10)
    one, two = (values(name, cut(kind, slice(None), few), groups(90)) for kind in (pair, double))
    same(one, two, rtol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
def test_an_accelerator_gives_the_same(name):
    pair, weights = awkward_pair(), groups(90)
    there = Pair(pair.clean.cuda(), pair.transformed.cuda(), pair.other.cuda())
    found = values(name, there, weights)
    same({column: one.cpu() for column, one in found.items()}, values(name, pair, weights), rtol=1e-5)


def test_an_unknown_measure_is_told_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'invarance'\. Did you mean 'invariance'"):
        MEASURES["invarance"]
