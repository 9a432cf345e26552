"""Arrays and labels as people hand them over."""

import numpy as np
import pytest
import torch

from invariscope.core.errors import ImageError
from invariscope.images.images import Images
from invariscope.networks.recipe import Recipe

ANY = Recipe(channels=0)


def noise(*shape: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, shape, dtype=np.uint8)


def test_channels_first_and_last_are_the_same_images():
    last = noise(5, 8, 9, 3)
    first = Images(last.transpose(0, 3, 1, 2)).fit(ANY)
    assert torch.equal(Images(last).fit(ANY).pixels, first.pixels)
    assert first.pixels.shape == (5, 3, 8, 9)
    assert (first.height, first.width, first.channels) == (8, 9, 3)


def test_float_images_keep_every_bit():
    images = torch.rand(3, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    prepared = Images(images).fit(Recipe(channels=2))
    assert torch.equal(prepared.batch(range(3)), images)


def test_uint8_images_become_fractions_of_255():
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(Images(images).fit(ANY).batch([0]).flatten(), torch.arange(256) / 255)


def test_a_grey_set_may_leave_its_channel_out():
    assert Images(noise(4, 8, 9)).fit(ANY).pixels.shape == (4, 1, 8, 9)


def test_grey_images_are_told_once():
    assert Images(noise(4, 8, 9)).fit(Recipe()).notes == ["4 of the images were grey and became RGB."]
    assert Images(noise(4, 8, 9)).fit(Recipe(channels=1)).notes == []


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (noise(8, 9), r"got \(8, 9\). One image\? Use images\[None\]"),
        (noise(2, 3, 8, 1), "may have their channels first or last"),
        (noise(2, 8, 9, 3).astype(np.int64), r"got torch.int64. Use .astype\('uint8'\)"),
        (noise(2, 8, 9, 3).astype(np.uint16), "uint8 from 0 to 255"),
        (noise(2, 8, 9, 3) > 3, "got an array of bool"),
        (noise(2, 8, 9, 3) / 255, r"float images are \(image, channel, height, width\)"),
        (noise(2, 3, 8, 9).astype(float), "these go from 0 to 25[0-9]"),
        (np.full((1, 3, 4, 5), -0.5), "these go from -0.5 to -0.5"),
        (np.full((1, 3, 4, 5), np.nan), "these go from nan to nan"),
        (np.zeros((2, 3, 0, 5), np.uint8), "images are an array"),
    ],
)
def test_other_arrays_are_refused(array, message):
    with pytest.raises(ImageError, match=message):
        Images(array)


def test_an_empty_set_cannot_be_fitted():
    with pytest.raises(ImageError, match="array holds no images"):
        Images(np.zeros((0, 3, 4, 5), np.uint8)).fit(ANY)


@pytest.mark.parametrize("labels", [[2, 0, 1], np.array([2.0, 0, 1]), torch.tensor([2, 0, 1])])
def test_labels_are_integers_however_they_come(labels):
    images = Images(noise(3, 8, 8, 3), labels)
    assert images.labels.dtype == np.int64
    assert images.labels.tolist() == [2, 0, 1]
    assert images.classes is None
    assert images.n_classes == 3


def test_names_as_labels_become_sorted_classes():
    images = Images(noise(3, 8, 8, 3), np.array(["zebra", "ant", "zebra"]))
    assert images.classes == ("ant", "zebra")
    assert images.labels.tolist() == [1, 0, 1]


def test_names_as_labels_keep_the_given_order_of_classes():
    assert Images(noise(2, 8, 8, 3), ["a", "b"], ["b", "a"]).labels.tolist() == [1, 0]


def test_minus_one_everywhere_is_unlabelled():
    images = Images(noise(3, 8, 8, 3), [-1, -1, -1], ["a", "b"])
    assert images.labels is None
    assert images.n_classes == 0


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 1], None, r"there are 3 images and labels of shape \(2,\)"),
        ([[0], [1], [2]], None, r"labels of shape \(3, 1\)"),
        ([0, 1, 2], ["a", "b"], "the labels reach 2 and there are 2 class names"),
        ([0, -1, 1], None, "the smallest is -1"),
        ([0.5, 1, 2], None, "labels are integers or names; got float64, for instance 0.5"),
        (["a", "b", "x"], ["a", "b"], "the label 'x' is none of the 2 classes"),
    ],
)
def test_other_labels_are_refused(labels, classes, message):
    with pytest.raises(ImageError, match=message):
        Images(noise(3, 8, 8, 3), labels, classes)
