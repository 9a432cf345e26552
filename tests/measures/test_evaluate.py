"""All measures at once: against plain loops and scipy, and whatever the batches, the order and the route."""

from functools import reduce

import numpy as np
import pytest
import scipy.stats
import torch

from invariscope.core.errors import SettingError
from invariscope.measures import fused as fused_module
from invariscope.measures.evaluate import Accumulator, all_measures, evaluate
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
from measure_world import TAU, awkward_pair, by_loops, groups, reference_of


def cut(pair, rows):
    return Pair(pair.clean[rows], pair.transformed[rows], None if pair.other is None else pair.other[rows])


def streamed(pair, weights, parts, **settings):
    seen = Accumulator(reference_of(pair), **settings)
    for rows in parts:
        seen.add(cut(pair, rows), weights[:, rows])
    return seen


def same(one, two, rtol=1e-6):
    assert one.keys() == two.keys()
    for name in one:
        # Correlation and variance of values at 10,000 with spread 1 keep four digits fewer than they were given.
        torch.testing.assert_close(one[name], two[name], rtol=rtol, atol=1e-7, equal_nan=True, msg=name)


def test_every_measure_equals_plain_loops(pair):
    weights = groups(len(pair.clean))
    reference = reference_of(pair)
    found = evaluate(pair, reference, weights)
    for row, member in enumerate(weights):
        expected = by_loops(pair, reference, member)
        assert expected.keys() == found.keys()
        for name, values in expected.items():
            np.testing.assert_allclose(found[name][row].numpy(), values, rtol=2e-6, atol=2e-7, err_msg=name)


def test_correlation_is_that_of_scipy(pair):
    found = evaluate(pair, reference_of(pair), torch.ones(1, len(pair.clean)))["correlation"][0]
    for unit in (0, 1, 2, 3, 9, 10):
        clean, moved = pair.clean[:, unit].double().numpy(), pair.transformed[:, unit].double().numpy()
        assert found[unit].item() == pytest.approx(scipy.stats.pearsonr(clean, moved).statistic, abs=1e-6)
    assert found[[4, 5, 6, 7, 8]].isnan().all()


def test_correlation_survives_a_large_shift_of_the_transformed_responses():
    clean = torch.randn(500, 4, dtype=torch.float64)
    moved = 0.5 * clean + 0.1 * torch.randn(500, 4, dtype=torch.float64)
    moved += torch.tensor([0.0, 10.0, 100.0, -1000.0])
    near = Pair(clean.float(), moved.float())
    found = evaluate(near, reference_of(near), torch.ones(1, 500))["correlation"][0]
    for unit in range(4):
        expected = scipy.stats.pearsonr(near.clean[:, unit].double(), near.transformed[:, unit].double()).statistic
        assert found[unit].item() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("cuts", [[1] * 90, [7, 83], [30, 30, 30], [64, 26]])
def test_batches_do_not_matter(pair, cuts):
    weights = groups(90)
    whole = evaluate(pair, reference_of(pair), weights)
    same(streamed(pair, weights, torch.arange(90).split(cuts)).compute(), whole)


def test_the_order_of_images_does_not_matter(pair):
    weights, order = groups(90), torch.randperm(90)
    same(streamed(pair, weights, order.split(17)).compute(), evaluate(pair, reference_of(pair), weights))


def test_merging_obeys_its_laws(pair):
    weights = groups(90)
    a, b, c = (streamed(pair, weights, [rows]) for rows in torch.randperm(90).split(30))
    whole = evaluate(pair, reference_of(pair), weights)
    same(a.merge(b).merge(c).compute(), whole)
    same(a.merge(b.merge(c)).compute(), whole)
    same(c.merge(b).merge(a).compute(), whole)
    nothing = Accumulator(reference_of(pair))
    same(nothing.merge(a).compute(), a.compute(), rtol=0)
    same(a.merge(nothing).compute(), a.compute(), rtol=0)


def test_merging_does_not_change_the_parts(pair):
    a, b = (streamed(pair, groups(90), [rows]) for rows in torch.arange(90).split(45))
    before = a.compute()
    a.merge(b)
    same(a.compute(), before, rtol=0)


def test_merged_batches_far_from_zero_keep_their_digits():
    clean = 1e4 + torch.randn(200, 3)
    pair = Pair(clean, clean + 0.3 * torch.randn(200, 3) - torch.linspace(0, 50, 200)[:, None])
    parts = [streamed(pair, torch.ones(1, 200), [rows]) for rows in torch.arange(200).split(20)]
    found = reduce(lambda x, y: x.merge(y), parts).compute()
    for unit in range(3):
        one, two = pair.clean[:, unit].double().numpy(), pair.transformed[:, unit].double().numpy()
        assert found["correlation"][0, unit].item() == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-5)
        assert found["clean_variance"][0, unit].item() == pytest.approx(np.var(one, ddof=1), rel=1e-4)


def test_multiplicities_equal_repeated_images(pair):
    times = torch.randint(0, 4, (90,), generator=torch.Generator().manual_seed(5))
    repeated = cut(pair, torch.arange(90).repeat_interleave(times))
    reference = reference_of(pair)
    same(
        evaluate(pair, reference, times[None].float()),
        evaluate(repeated, reference, torch.ones(1, int(times.sum()))),
    )


def test_many_rows_equal_few(pair):
    weights = torch.randint(0, 3, (40, 90), generator=torch.Generator().manual_seed(2)).float()
    many = evaluate(pair, reference_of(pair), weights)
    for row in (0, 17, 39):
        few = evaluate(pair, reference_of(pair), weights[row : row + 1])
        same({name: values[row : row + 1] for name, values in many.items()}, few)


def test_tiles_do_not_matter():
    generator = torch.Generator().manual_seed(0)
    clean, moved = (torch.randn(150, 2500, generator=generator).relu() for _ in range(2))
    pair, weights = Pair(clean, moved), torch.ones(1, 150)
    whole = evaluate(pair, reference_of(pair), weights)
    for part in (slice(0, 3), slice(1020, 1030), slice(2490, 2500)):
        few = Pair(clean[:, part], moved[:, part])
        same({name: values[:, part] for name, values in whole.items()}, evaluate(few, reference_of(few), weights))


def test_the_peak_of_all_groups_decides_who_is_active():
    # The peak, 10, lies in the second group; against it the first group's images are silent.
    clean = torch.tensor([[0.5], [0.8], [10.0]])
    weights = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = evaluate(Pair(clean, clean), reference_of(Pair(clean, clean)), weights)
    assert found["n_active"].flatten().tolist() == [0, 1]
    assert found["invariance"].isnan().flatten().tolist() == [True, False]


def test_a_group_without_images_is_unknown(pair):
    weights = torch.zeros(1, 90)
    found = evaluate(pair, reference_of(pair), weights)
    assert (found.pop("n_active") == 0).all()
    assert all(values.isnan().all() for values in found.values())


def test_one_image_has_no_variance():
    one = Pair(torch.tensor([[0.4]]), torch.tensor([[0.8]]))
    found = evaluate(one, reference_of(one), torch.ones(1, 1))
    assert found["invariance"].item() == pytest.approx(2 / 3)
    assert found["clean_variance"].isnan().all()
    assert found["correlation"].isnan().all()
    assert found["null"].isnan().all()


def test_the_null_of_a_perfectly_specialized_unit_is_zero():
    clean = torch.zeros(20, 1)
    moved = 0.5 + torch.rand(20, 1)
    pair = Pair(clean, moved, moved.roll(1, 0))
    found = evaluate(pair, reference_of(pair), torch.ones(1, 20))
    assert found["invariance"].item() == found["null"].item() == 0
    assert found["specialization"].item() == 1


def test_a_unit_that_ignores_the_image_is_its_own_null():
    same_for_all = torch.ones(20, 1)
    pair = Pair(same_for_all, 2 * same_for_all, 2 * same_for_all)
    found = evaluate(pair, reference_of(pair), torch.ones(1, 20))
    assert found["invariance"].item() == pytest.approx(2 / 3)
    assert found["null"].item() == found["invariance"].item()


def test_the_null_uses_its_own_active_images():
    # x drives the unit in image 0 alone; its partner's transformed response drives it in images 0 and 1.
    clean, moved = torch.tensor([[1.0], [0.0], [0.0]]), torch.tensor([[1.0], [0.0], [0.0]])
    other = torch.tensor([[1.0], [1.0], [0.0]])
    pair = Pair(clean, moved, other)
    found = evaluate(pair, reference_of(pair), torch.ones(1, 3))
    assert found["n_active"].item() == 1
    assert found["null"].item() == pytest.approx(0.5)


def test_one_negative_response_hides_the_site_or_the_named_units():
    clean = torch.tensor([[1.0, 1.0], [2.0, -0.1]])
    pair, weights = Pair(clean, clean), torch.ones(1, 2)
    reference = reference_of(pair)
    hidden = ("invariance", "specialization", "n_active", "active_fraction", "null")
    found = evaluate(pair, reference, weights)
    assert all(found[name].isnan().all() for name in hidden)
    assert not found["correlation"].isnan().any()
    assert not found["goodfellow_global"].isnan().any()
    named = evaluate(pair, reference, weights, negative=torch.tensor([False, True]))
    assert named["invariance"].isnan().flatten().tolist() == [False, True]
    assert not evaluate(pair, reference, weights, negative=False)["n_active"].isnan().any()


def test_negative_responses_in_any_batch_count():
    pair = Pair(torch.tensor([[1.0], [-1.0]]), torch.tensor([[1.0], [1.0]]))
    parts = [streamed(pair, torch.ones(1, 2), [rows]) for rows in (torch.tensor([0]), torch.tensor([1]))]
    assert parts[0].compute()["invariance"].item() == 1
    assert parts[0].merge(parts[1]).compute()["invariance"].isnan().all()


def test_no_images_and_no_units_are_no_mistake(pair):
    seen = Accumulator(reference_of(pair))
    seen.add(cut(pair, slice(0, 0)), torch.ones(3, 0))
    seen.add(pair, groups(90))
    same(seen.compute(), evaluate(pair, reference_of(pair), groups(90)), rtol=0)


def test_without_a_compiler_nothing_changes(pair, monkeypatch):
    def broken(measures):
        def kernel(*arguments):
            raise RuntimeError("no compiler")

        return kernel

    monkeypatch.setattr(fused_module, "_kernel", broken)
    monkeypatch.setattr(fused_module, "_IMPOSSIBLE", set())
    monkeypatch.setattr(fused_module, "MANY_UNITS", 1)
    expected = evaluate(pair, reference_of(pair), groups(90))
    same(streamed(pair, groups(90), [slice(0, 90)], fused="auto").compute(), expected, rtol=0)
    assert len(fused_module._IMPOSSIBLE) == 1
    with pytest.raises(SettingError, match=r"compiling failed.*no compiler"):
        streamed(pair, groups(90), [slice(0, 90)], fused=True)
    with pytest.raises(SettingError, match=r'True, False or "auto"; got .fast.'):
        Accumulator(reference_of(pair), fused="fast")


def test_whole_blocks_take_the_fused_route_and_the_rest_does_not(pair, monkeypatch):
    calls = []

    def uncompiled(measures):
        def kernel(part, reference, centre, weights):
            calls.append(len(part.clean))
            block = fused_module.Block(part, reference, centre)
            return {name: weights @ one for measure in measures for name, one in measure.observe(block).items()}

        return kernel

    monkeypatch.setattr(fused_module, "_kernel", uncompiled)
    # Eight whole blocks and a rest of seven.
    pair, rows = cut(pair, slice(0, 87)), groups(90)[:, :87]
    same(
        streamed(pair, rows, [slice(0, 87)], fused=True).compute(),
        evaluate(pair, reference_of(pair), rows),
    )
    assert calls == [fused_module._ROWS] * 8


@pytest.mark.slow
def test_compiled_sums_equal_the_others(tmp_path):
    # In a process of its own: the shape checker of the tests wraps functions in ways that cannot be compiled.
    import subprocess
    import sys

    script = """
import torch
from invariscope.measures.evaluate import Accumulator
from invariscope.responses.pair import Pair
from invariscope.responses.reference import Reference
clean, moved = (torch.randn(150, 301).relu() for _ in range(2))
pair, weights = Pair(clean, moved, moved.roll(1, 0)), (torch.rand(2, 150) > .3).float()
peak = torch.maximum(clean.amax(0), moved.amax(0))
reference = Reference(peak, clean.mean(0), .8 * clean.amax(0), clean.amax(0), .1)
found = []
for fused in (False, True):
    seen = Accumulator(reference, fused=fused)
    seen.add(pair, weights)
    found.append(seen.compute())
for name in found[0]:
    torch.testing.assert_close(found[0][name], found[1][name], rtol=1e-6, atol=1e-7, equal_nan=True)
print("equal")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "equal", done.stderr


def test_measures_that_share_a_contribution_give_it_once(pair):
    seen = streamed(pair, groups(90), [slice(0, 90)])
    names = [name for measure in all_measures() for name in measure.observe(next(seen.blocks(pair))[2])]
    assert len(names) > len(set(names)) == len(seen.sums)


def test_reference_need_not_come_from_these_images():
    pair = awkward_pair()
    one = torch.ones(12)
    reference = Reference(peak=100 * one, clean_mean=7 * one, firing=0 * one, scale=100 * one, tau=TAU)
    exact = evaluate(pair, reference_of(pair), torch.ones(1, 90))["correlation"][0, :4]
    assert torch.allclose(evaluate(pair, reference, torch.ones(1, 90))["correlation"][0, :4], exact, atol=1e-5)
