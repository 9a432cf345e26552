import pytest
import torch
from training_world import tiny

from invariscope.training.evaluate import evaluate, evaluate_each, evaluate_mixture, evaluate_shown
from invariscope.training.mixture import Mixture, make_parts
from invariscope.transformations.base import TRANSFORMATIONS

SEEN = (0, 2, 3)


@pytest.fixture(scope="module")
def network():
    made = tiny(3)
    made.module.eval()
    return made


def right(network, sets, change, labels):
    """A plain loop: how many images of these classes are classified rightly, and how many there are."""
    chosen = [index for index, label in enumerate(sets.test_labels.tolist()) if label in labels]
    said = [int(network(change(sets.test.batch([index]))).argmax()) for index in chosen]
    return sum(a == int(sets.test_labels[i]) for a, i in zip(said, chosen, strict=True)), len(chosen)


def test_each_magnitude_against_a_plain_loop(network, sets):
    mixture = Mixture(make_parts("inversion+rotation", (1.0, (60.0, 90.0))), own=(0, 0, 1, 1, 0, 0))
    inversion, rotation, hue = (TRANSFORMATIONS[name]() for name in ("inversion", "rotation", "brightness"))
    tests = [(inversion, 1.0), (rotation, 90.0), (rotation, 180.0), (hue, 0.5)]
    rows = evaluate_each(network, sets.test, sets.test_labels, mixture, SEEN, tests)
    assert [row["trained"] for row in rows] == [True, True, False, False]
    unseen = (1, 4, 5)
    groups = [((0,), (2, 3)), ((2, 3), (0,)), ((2, 3), (0,)), ((), (0, 2, 3))]
    for row, (kind, magnitude), (within, other) in zip(rows, tests, groups, strict=True):
        assert (row["transformation"], row["magnitude"]) == (kind.name, magnitude)
        for name, labels in (("within", within), ("across", unseen), ("other", other)):
            correct, n = right(network, sets, lambda image, k=kind, m=magnitude: k(image, m), labels)
            assert row[f"{name}_n"] == n
            if n:
                assert row[name] == pytest.approx(correct / n)
                assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
            else:
                assert row[name] != row[name]


def test_a_mixture_of_one_is_the_plain_evaluation(network, sets):
    for name, magnitude in (("inversion", 1.0), ("gaussian-noise", 0.3)):
        mixture = Mixture(make_parts(name, magnitude))
        plain = evaluate(network, sets.test, sets.test_labels, TRANSFORMATIONS[name](), magnitude, SEEN)
        assert evaluate_mixture(network, sets.test, sets.test_labels, mixture, SEEN) == plain


def test_classes_are_tested_under_their_own_transformation(network, sets):
    own = (0, 1, 0, 1, 0, 1)
    mixture = Mixture(make_parts("inversion+rotation", (1.0, 90.0)), own)
    found = evaluate_mixture(network, sets.test, sets.test_labels, mixture, SEEN)
    kinds = [lambda image: TRANSFORMATIONS["inversion"]()(image, 1.0), lambda image: torch.rot90(image, 1, (2, 3))]
    for name, labels in (("within", SEEN), ("across", (1, 4, 5))):
        parts = [right(network, sets, kinds[own[label]], (label,)) for label in labels]
        assert (found[name].correct, found[name].n) == tuple(map(sum, zip(*parts, strict=True)))


class Spy(Mixture):
    """Remembers which images it was given."""

    def __call__(self, images, places, labels, seed, where=""):
        SHOWN.extend(places.tolist())
        return super().__call__(images, places, labels, seed, where)


SHOWN: list[int] = []


def test_images_as_training_shows_them(network, sets):
    spy = Spy(make_parts("inversion", 1.0))
    found = []
    for _ in range(2):
        SHOWN.clear()
        found.append(evaluate_shown(network, sets.test, sets.test_labels, spy, SEEN))
    assert found[0] == found[1]
    chosen = set(SHOWN)
    # Of 30 images of seen classes, by coin: the standard deviation is 2.7.
    assert 5 <= len(chosen) == len(SHOWN) <= 25
    assert set(sets.test_labels[sorted(chosen)].tolist()) <= set(SEEN)
    correct = 0
    for index, label in enumerate(sets.test_labels.tolist()):
        image = sets.test.batch([index])
        correct += int(network(1 - image if index in chosen else image).argmax()) == label
    assert (found[0].correct, found[0].n) == (correct, 60)
