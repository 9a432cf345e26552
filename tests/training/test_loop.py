import pytest
import torch
from training_world import N_CLASSES, tiny

from invariscope.core.errors import NetworkError
from invariscope.grids.threads import one_thread
from invariscope.training.evaluate import Accuracy, evaluate
from invariscope.training.loop import Schedule, shown, train
from invariscope.training.mixture import Mixture, make_parts
from invariscope.training.paradigm import Draw, Sampler
from invariscope.transformations.base import TRANSFORMATIONS

INVERSION = "inversion"


def mixture(transformation=INVERSION, magnitude=1.0):
    return Mixture(make_parts(transformation, magnitude))


def learn(sets, seen=(0, 1), seed=0, schedule=None, transformation=INVERSION, magnitude=1.0):
    network, losses = tiny(seed), []
    schedule = schedule or Schedule(epochs=2, batch_size=16)
    sampler = Sampler(sets.train_labels, N_CLASSES, seen, seed, schedule.batch_size)
    with one_thread():
        train(
            network,
            sets.train,
            sets.train_labels,
            mixture(transformation, magnitude),
            sampler,
            schedule,
            seed,
            lambda epoch, loss: losses.append((epoch, loss)),
        )
    return network, losses


def test_training_is_bit_for_bit_reproducible(sets):
    one, first = learn(sets)
    torch.rand(17)
    two, second = learn(sets)
    assert first == second
    for mine, theirs in zip(one.module.state_dict().values(), two.module.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_training_leaves_the_global_generator_alone(sets):
    before = torch.get_rng_state()
    learn(sets, schedule=Schedule(epochs=1))
    assert torch.equal(before, torch.get_rng_state())


def test_random_transformations_are_reproducible_and_fresh_at_every_pass(sets):
    noise, labels = mixture("gaussian-noise", 0.2), sets.train_labels
    one, two = (learn(sets, transformation="gaussian-noise", magnitude=0.2)[1] for _ in range(2))
    assert one == two
    device = torch.device("cpu")
    first, again, later = (
        shown(sets.train, labels, Draw(torch.tensor([3, 3, 4]), 2, torch.tensor(places)), noise, 0, device)
        for places in ([0, 1, 2], [0, 1, 2], [10, 11, 12])
    )
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1]), "the same image twice in a batch gets other noise"
    assert not torch.equal(first[:2], later[:2])
    assert torch.equal(first[2], later[2])


def test_only_the_front_is_transformed(sets):
    draw = Draw(torch.tensor([5, 9, 2]), 1, torch.arange(3))
    batch = shown(sets.train, sets.train_labels, draw, mixture(), 0, torch.device("cpu"))
    plain = sets.train.batch(draw.indices)
    torch.testing.assert_close(batch[0], 1 - plain[0])
    assert torch.equal(batch[1:], plain[1:])


def test_a_network_learns_what_it_sees_and_its_loss_falls(sets):
    schedule = Schedule(epochs=6, batch_size=16)
    network, losses = learn(sets, seen=(0, 1, 2), schedule=schedule)
    assert [epoch for epoch, _ in losses] == list(range(1, 7))
    assert losses[-1][1] < 0.2 * losses[0][1]
    found = evaluate(network, sets.test, sets.test_labels, TRANSFORMATIONS[INVERSION](), 1.0, (0, 1, 2))
    assert found["clean"].value > 0.9
    assert found["within"].value > 0.9
    assert found["across"].value < 0.7, "classes that were never inverted"
    assert [part.n for part in found.values()] == [60, 30, 30]


def test_evaluation_against_a_plain_loop(sets):
    network, rotation = tiny(3), TRANSFORMATIONS["rotation"]()
    network.module.eval()
    found = evaluate(network, sets.test, sets.test_labels, rotation, 90.0, (1, 4))
    counts = {"clean": 0, "within": 0, "across": 0}
    for index, label in enumerate(sets.test_labels.tolist()):
        image = sets.test.batch([index])
        counts["clean"] += int(network(image).argmax()) == label
        right = int(network(torch.rot90(image, 1, (2, 3))).argmax()) == label
        counts["within" if label in (1, 4) else "across"] += right
    assert {name: part.correct for name, part in found.items()} == counts


def test_no_unseen_class_means_no_across_accuracy(sets):
    found = evaluate(tiny(), sets.test, sets.test_labels, TRANSFORMATIONS[INVERSION](), 1.0, tuple(range(N_CLASSES)))
    assert found["across"].n == 0
    assert found["across"].value != found["across"].value
    assert all(end != end for end in found["across"].interval)


def test_wilson_interval_by_hand():
    low, high = Accuracy(8, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)


def test_a_loss_that_explodes(sets):
    with pytest.raises(NetworkError, match="no longer a number in epoch 1; lower the learning rate"):
        learn(sets, schedule=Schedule(epochs=1, learning_rate=1e30))
