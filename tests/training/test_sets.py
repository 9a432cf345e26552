import pickle

import numpy as np
import pytest
import torch
from training_world import bars, tiny

from invariscope.core.errors import SettingError
from invariscope.images.images import Images
from invariscope.training.sets import hold_out, make_sets


def test_sets_survive_the_way_to_another_process(sets):
    copy = pickle.loads(pickle.dumps(sets))
    assert torch.equal(copy.train.pixels, sets.train.pixels)
    assert torch.equal(copy.test.batch([1, 5]), sets.test.batch([1, 5]))
    assert torch.equal(copy.test_labels, sets.test_labels)
    assert (copy.classes, copy.fingerprint) == (sets.classes, sets.fingerprint)
    assert isinstance(sets.train.pixels, torch.Tensor), "the original keeps its tensors"


def test_arrays_on_disk_are_opened_not_sent(sets, tmp_path):
    from dataclasses import replace

    file = tmp_path / "pixels.npy"
    np.save(file, np.tile(sets.train.pixels.numpy(), (50, 1, 1, 1)))
    large = replace(sets, train=replace(sets.train, pixels=np.load(file, mmap_mode="r")))
    sent = pickle.dumps(large)
    assert len(sent) < file.stat().st_size / 4
    copy = pickle.loads(sent)
    assert isinstance(copy.train.pixels, np.memmap)
    assert torch.equal(copy.train.batch([200]), large.train.batch([200]))


def test_test_labels_are_those_of_the_training_classes():
    array = np.zeros((4, 8, 8, 1), np.uint8)
    train = Images(array, [0, 1, 1, 0], ["cat", "dog"])
    test = Images(array, [0, 0, 1, 1], ["dog", "cat"])
    assert make_sets(train, test, tiny().recipe).test_labels.tolist() == [1, 1, 0, 0]


def test_other_classes_in_the_test_set():
    array = np.zeros((2, 8, 8, 1), np.uint8)
    with pytest.raises(SettingError, match="'bird' is only in one"):
        make_sets(Images(array, [0, 1], ["cat", "dog"]), Images(array, [0, 1], ["cat", "bird"]), tiny().recipe)


def test_images_without_labels():
    array = np.zeros((2, 8, 8, 1), np.uint8)
    with pytest.raises(SettingError, match="test images array have no labels"):
        make_sets(Images(array, [0, 1], ["cat", "dog"]), Images(array), tiny().recipe)
    with pytest.raises(SettingError, match="no labels"):
        hold_out(Images(array))


def test_holding_out_takes_a_share_of_every_class():
    images = bars(10, seed=0)
    train, test = hold_out(images, 0.3, seed=5)
    assert np.bincount(train.labels).tolist() == [7] * 6
    assert np.bincount(test.labels).tolist() == [3] * 6
    names = [{part.name(i) for i in range(len(part))} for part in (train, test)]
    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == 60
    again = hold_out(images, 0.3, seed=5)[1]
    assert [again.name(i) for i in range(18)] == [test.name(i) for i in range(18)]


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_holding_out_leaves_both_sides_something(share):
    train, test = hold_out(bars(4, seed=0), share)
    assert np.bincount(train.labels).min() >= 1
    assert np.bincount(test.labels).min() >= 1


def test_holding_out_nonsense():
    with pytest.raises(SettingError, match="between 0 and 1; got 2"):
        hold_out(bars(4, seed=0), 2.0)
    lone = Images(np.zeros((3, 8, 8, 1), np.uint8), [0, 0, 1], ["cat", "dog"])
    with pytest.raises(SettingError, match="class dog of array has one image"):
        hold_out(lone)
