"""Which output each label means, and what is told when none does."""

from types import SimpleNamespace

import numpy as np
import pytest

from invariscope.core.errors import ImageError
from invariscope.images.images import Images
from invariscope.images.labels import match_labels


def labelled(labels, classes=None, wnids=None) -> Images:
    return Images(np.zeros((len(labels), 8, 8, 3), np.uint8), labels, classes, wnids=wnids)


def network(classes=None, wnids=None) -> SimpleNamespace:
    return SimpleNamespace(classes=classes, wnids=wnids)


def test_as_many_classes_as_outputs_are_taken_in_order():
    matching = match_labels(labelled([1, 0, 2], ["ant", "bee", "cat"]), network(), 3)
    assert matching.labels.tolist() == [1, 0, 2]
    assert matching.names == ("ant", "bee", "cat")
    assert matching.message is None


def test_names_win_over_order_when_all_are_known():
    matching = match_labels(labelled([0, 1], ["ant", "bee"]), network(("bee", "ant")), 2)
    assert matching.labels.tolist() == [1, 0]
    assert matching.names == ("bee", "ant")


def test_order_wins_when_some_names_are_unknown():
    matching = match_labels(labelled([0, 1], ["ant", "wasp"]), network(("bee", "ant")), 2)
    assert matching.labels.tolist() == [0, 1]
    assert matching.names == ("bee", "ant")


@pytest.mark.parametrize("name", ["great white shark", "Great_White-Shark", "great white shark, white shark"])
def test_names_match_in_any_spelling_and_before_a_comma(name):
    own = ("goldfish", "great white shark, man-eater" if "," not in name else "great white shark", "crane")
    assert match_labels(labelled([0], [name]), network(own), 3).labels.tolist() == [1]


def test_wordnet_folders_match_the_networks_identifiers():
    own = network(("crane", "kite", "crane"), ("n3", "n1", "n5"))
    matching = match_labels(labelled([0, 1, 1], ["n5", "n1"]), own, 3)
    assert matching.labels.tolist() == [2, 1, 1]
    assert matching.names == ("crane (0)", "kite", "crane (2)")


def test_the_images_own_identifiers_decide_between_equal_names():
    images = labelled([0, 1], ["crane", "crane"], ["n5", "n3"])
    assert match_labels(images, network(("crane", "kite", "crane"), ("n3", "n1", "n5")), 3).labels.tolist() == [2, 0]


def test_given_names_are_matched_and_shown():
    images = labelled([0, 1], ["ant", "bee"])
    matching = match_labels(images, network(), 3, ["bee", "cat", "ant"])
    assert matching.labels.tolist() == [2, 0]
    assert matching.names == ("bee", "cat", "ant")


def test_a_class_that_no_image_shows_needs_no_output():
    images = labelled([0, 0], ["ant", "nowhere"])
    assert match_labels(images, network(("x", "y", "ant")), 3).labels.tolist() == [2, 2]


def test_numbers_are_outputs():
    matching = match_labels(labelled([4, 0]), network(), 5)
    assert matching.labels.tolist() == [4, 0]
    assert matching.names == ("0", "1", "2", "3", "4")


def test_numbers_beyond_the_outputs_are_an_error():
    with pytest.raises(ImageError, match="the labels reach 12, and the network has 10 outputs, counted from 0"):
        match_labels(labelled([0, 12]), network(), 10)


def test_a_table_of_few_named_rows_is_taken_by_its_numbers():
    images = labelled([0, 2], ["ant", "1", "bee"], ["n0", "1", "n2"])
    matching = match_labels(images, network(), 1000)
    assert matching.labels.tolist() == [0, 2]
    assert "taken as numbers of the network's outputs" in matching.message


def test_unlabelled_images_get_agreement():
    matching = match_labels(Images(np.zeros((2, 8, 8, 3), np.uint8)), network(("a", "b")), 2)
    assert matching.labels is None
    assert matching.names == ("a", "b")
    assert matching.message == "The images have no labels: agreement with the clean prediction replaces accuracy."


@pytest.mark.parametrize("outputs", [2, 1000])
def test_other_names_and_another_number_get_agreement_and_are_told(outputs):
    matching = match_labels(labelled([0, 1, 2], ["ant", "bee", "cat"]), network(), outputs)
    assert matching.labels is None
    assert len(matching.names) == outputs
    assert f"3 classes (ant, bee, cat, …) and the network has {outputs} outputs" in matching.message
    assert "--classes FILE" in matching.message


def test_a_few_strangers_among_known_names_are_an_error():
    images = labelled([0, 1, 2], ["ant", "bee", "catt"])
    with pytest.raises(ImageError, match=r"most classes are outputs.*no output is called 'catt'. Did you mean 'cat'"):
        match_labels(images, network(("ant", "bee", "cat", "dog")), 4)


def test_two_classes_of_one_name_are_not_guessed():
    images = labelled([0, 1], ["Ant", "ant"])
    assert match_labels(images, network(("ant", "bee", "cat")), 3).labels is None


def test_given_names_must_be_as_many_as_the_outputs():
    with pytest.raises(ImageError, match="2 class names are given and the network has 3 outputs; give one each"):
        match_labels(labelled([0]), network(), 3, ["a", "b"])


def test_names_of_another_number_are_not_the_outputs():
    assert match_labels(labelled([0]), network(("a", "b")), 3).names == ("0", "1", "2")


def test_folders_named_by_numbers_are_told_about():
    names = sorted(str(i) for i in range(12))
    matching = match_labels(labelled(list(range(12)), names), network(), 12)
    assert matching.labels.tolist() == list(range(12))
    assert matching.names[:3] == ("0", "1", "10")
    assert "taken in their order as text (0, 1, 10, …)" in matching.message


def test_folders_named_by_numbers_match_given_names():
    names = sorted(str(i) for i in range(12))
    matching = match_labels(labelled(list(range(12)), names), network(), 12, [str(i) for i in range(12)])
    assert matching.labels.tolist() == [int(name) for name in names]
    assert matching.message is None
