import numpy as np
import pytest
import torch

from invariscope.tolerance.ablation import ablation_costs

READOUT = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])


class Tail:
    """A linear read-out of four units: unit 0 votes for class 0, unit 1 for class 1, units 2 and 3 for nothing."""

    def __init__(self, activation):
        self.activation = activation

    def __call__(self, activation):
        # a bias towards class 1, so that silencing unit 1 alone costs nothing
        return activation @ READOUT + torch.tensor([0.0, 0.5])


# images 0-2 are of class 0, image 3 of class 1
ACTIVATION = torch.tensor([[2.0, 0, 1, 1], [2.0, 0, 1, 1], [2.0, 1, 1, 1], [0, 1.0, 1, 1]])
LABELS = torch.tensor([0, 0, 0, 1])
ACTIVE = np.array([True, True, True, True])


def units(*members):
    return np.isin(np.arange(4), members)


def costs(kinds, active=ACTIVE, labels=LABELS, batches=(4,), **settings):
    tails = [Tail(part) for part in ACTIVATION.split(list(batches))]
    return ablation_costs(tails, kinds, active, labels, layout="features", **settings)


def test_costs_by_hand():
    found = costs({"invariant": units(0), "specialized": units(2, 3)})
    assert found["invariant"].accuracy == 1
    assert found["invariant"].cost == 0.75
    assert found["specialized"].cost == 0
    assert (found["invariant"].n_units, found["specialized"].n_units) == (1, 2)
    assert not found["invariant"].is_all


def test_control_draws_as_many_active_units():
    # with units 0 and 2 active, a random unit is unit 0 (cost .75) or unit 2 (cost 0)
    found = costs({"invariant": units(0)}, active=units(0, 2), repeats=400)["invariant"]
    assert found.control == pytest.approx(0.375, abs=0.06)
    assert found.difference == pytest.approx(found.cost - found.control)
    assert found.low <= found.difference <= found.high


def test_inactive_units_are_never_drawn():
    found = costs({"specialized": units(2)}, active=units(2, 3), repeats=50)["specialized"]
    assert (found.cost, found.control, found.difference) == (0, 0, 0)


def test_a_kind_that_is_all_active_units_equals_its_control():
    found = costs({"invariant": units(0, 1)}, active=units(0, 1))["invariant"]
    assert found.is_all
    assert found.cost == found.control == 0.75
    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_a_kind_without_units_is_unknown():
    found = costs({"invariant": units(), "specialized": units(0)})
    assert found["invariant"].n_units == 0
    assert np.isnan([found["invariant"].cost, found["invariant"].control, found["invariant"].difference]).all()
    assert found["invariant"].accuracy == 1
    assert found["specialized"].cost == 0.75


@pytest.mark.parametrize("batches", [(1, 3), (2, 2), (1, 1, 1, 1)])
def test_batches_do_not_matter(batches):
    kinds = {"invariant": units(0), "specialized": units(1, 2)}
    assert costs(kinds, batches=batches) == costs(kinds)


def test_without_labels_the_prediction_without_ablation_is_kept():
    labels = torch.tensor([1, 1, 1, 0])
    assert costs({"invariant": units(0)}, labels=labels)["invariant"].cost == -0.75
    found = costs({"invariant": units(0)}, labels=None)["invariant"]
    assert (found.accuracy, found.cost) == (1, 0.75)


def test_only_the_images_of_a_group_count():
    found = costs({"invariant": units(0)}, images=np.array([False, False, True, True]))["invariant"]
    assert found.cost == 0.5
    one = costs({"invariant": units(0)}, images=np.array([True, False, False, False]))["invariant"]
    assert one.cost == 1
    assert np.isnan([one.low, one.high]).all()


def test_the_interval_is_paired_over_images():
    generator = np.random.default_rng(0)
    activation = torch.zeros(300, 4)
    activation[:, 0] = torch.from_numpy(generator.random(300).astype(np.float32)) + 0.2
    tail = Tail(activation)
    labels = torch.zeros(300, dtype=torch.int64)
    found = ablation_costs(
        [tail], {"invariant": units(0)}, units(0, 2), labels, layout="features", repeats=400, replicates=2000
    )["invariant"]
    # per image the difference is share · (right without ablation), share = how often the control misses unit 0
    right = (activation[:, 0] > 0.5).double().numpy()
    share = found.difference / right.mean()
    half = 1.96 * share * right.std() / 300**0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=0.12)


def test_the_same_seed_draws_the_same_units():
    kinds = {"invariant": units(0, 3)}
    assert costs(kinds, seed=4) == costs(kinds, seed=4)
    assert len({costs(kinds, seed=seed, repeats=1)["invariant"].control for seed in range(12)}) > 1


def test_channels_are_silenced_at_every_position():
    class Pool(Tail):
        def __call__(self, activation):
            return super().__call__(activation.mean(dim=(2, 3)))

    maps = ACTIVATION[:, :, None, None].expand(4, 4, 3, 2)
    found = ablation_costs([Pool(maps)], {"invariant": units(0)}, ACTIVE, LABELS, layout="channels-first")
    assert found["invariant"].cost == 0.75
