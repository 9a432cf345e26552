"""Joint tolerance: tables against brute force, and networks whose region is known."""

import numpy as np
import pytest
import torch
from torch import nn

from invariscope.core.errors import MagnitudeError, SettingError
from invariscope.images.images import Images
from invariscope.networks.network import as_network
from invariscope.tolerance.curves import curves
from invariscope.tolerance.joint import joint_tolerance
from invariscope.tolerance.outputs import Sweep
from invariscope.transformations.brightness import Brightness
from invariscope.transformations.joint import Joint

GRID = {"translation-x": [-0.25, 0, 0.25, 0.5], "rotation": [0, 20, 45]}


class Bright(nn.Module):
    """Class 0 where the mean is above 0.5."""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([mean - 0.5, 0.5 - mean], dim=1)


def some_network() -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 3))
    for weight in net.parameters():
        weight.data = torch.randn(weight.shape, generator=generator)
    net[-1].bias.data -= net(some_pixels()).mean(0).detach()
    return net


def some_pixels(n: int = 60) -> torch.Tensor:
    coarse = torch.rand(n, 1, 3, 3, generator=torch.Generator().manual_seed(3))
    return nn.functional.interpolate(coarse, size=(8, 8), mode="bilinear")


def some_images(labels: bool = True) -> Images:
    truth = some_network()(some_pixels()).argmax(1)
    truth[:6] = (truth[:6] + 1) % 3
    return Images(some_pixels(), truth, ["cat", "dog", "owl"]) if labels else Images(some_pixels())


def test_the_table_is_what_the_bare_network_answers():
    net, images = some_network(), some_images()
    found = joint_tolerance(net, images, "translation-x", "rotation", magnitudes=GRID, replicates=20)
    joint, labels = Joint(["translation-x", "rotation"]).with_fill(0.5), torch.as_tensor(images.labels)
    clean = net(some_pixels()).argmax(1)
    assert len(found.joint) == 4 * 3 * 4
    for x in GRID["translation-x"]:
        for y in GRID["rotation"]:
            logits = net(joint(some_pixels(), [x, y])).detach()
            here = found.joint[(found.joint.magnitude_x == x) & (found.joint.magnitude_y == y)].set_index("class")
            assert here.index.tolist() == ["all", "cat", "dog", "owl"]
            right = (logits.argmax(1) == labels).double()
            soft = logits.double().softmax(1)[torch.arange(60), labels]
            assert here.accuracy["all"] == pytest.approx(right.mean().item())
            assert here.agreement["all"] == pytest.approx((logits.argmax(1) == clean).double().mean().item())
            assert here.softmax_true["all"] == pytest.approx(soft.mean().item(), abs=1e-6)
            for place, name in enumerate(["cat", "dog", "owl"]):
                assert here.accuracy[name] == pytest.approx(right[labels == place].mean().item())
                assert here.n[name] == int((labels == place).sum())
            assert (here.accuracy_low <= here.accuracy).all()
            assert (here.accuracy_high >= here.accuracy).all()
    # Every point but the identity, and the clean images.
    assert found.passes == 60 * 12
    still = found.joint[(found.joint.magnitude_x == 0) & (found.joint.magnitude_y == 0)]
    assert (still.relative == 1).all()
    assert (still.agreement == 1).all()


def test_along_an_axis_it_is_the_single_curve():
    net, images = some_network(), some_images()
    values = (-0.3, -0.1, 0.0, 0.2)
    found = joint_tolerance(net, images, "brightness", "rotation", magnitudes={"brightness": values, "rotation": [30]})
    outputs = torch.stack([net(Brightness()(some_pixels(), value)).detach() for value in values])
    table = curves(Sweep("brightness", values, 0.0, "", outputs, torch.as_tensor(images.labels), ("cat", "dog", "owl")))
    axis = found.joint[found.joint.magnitude_y == 0]
    assert axis["class"].tolist() == table["class"].tolist()
    for column in ("accuracy", "accuracy_low", "accuracy_high", "agreement"):
        np.testing.assert_allclose(axis[column], table[column])
    np.testing.assert_allclose(axis.softmax_true, table.softmax_true, atol=1e-6)


def test_brightness_twice_told_adds_up():
    # Images of class 0 flip where brightness plus what gain takes away passes their lead; half have none left there.
    values = torch.linspace(0.5, 1.0, 201)[1:]
    images = Images(values[:, None, None, None].expand(-1, 1, 2, 2).clone(), [0] * 200)
    grid = {"gain": np.linspace(0.5, 1, 26).tolist(), "brightness": np.linspace(-0.5, 0, 26).tolist()}
    found = joint_tolerance(Bright(), images, "gain", "brightness", magnitudes=grid, levels=[0.5], replicates=50)
    row = found.area.iloc[0]
    # Half of the images survive while gain · 0.75 + brightness > 0.5: alone a gain of 2/3, or a brightness of −1/4.
    assert row.x_low == pytest.approx(2 / 3, abs=0.005)
    assert row.y_low == pytest.approx(-0.25, abs=0.005)
    assert (row.x_high, row.y_high) == (1.0, 0.0)
    assert row.ratio == pytest.approx(0.5, abs=0.01)
    assert row.within == pytest.approx(0.5, abs=0.01)
    assert row.censored == 0
    assert row.ratio_low <= row.ratio <= row.ratio_high < 0.6
    outline = found.contour[found.contour["class"] == "all"]
    np.testing.assert_allclose(outline.magnitude_x * 0.75 + outline.magnitude_y, 0.5, atol=0.005)


def test_small_classes_have_no_outline_of_their_own():
    labels = [0] * 30 + [1] * 29 + [2]
    images = Images(some_pixels(), labels, ["cat", "dog", "owl"])
    found = joint_tolerance(some_network(), images, "translation-x", "rotation", magnitudes=GRID, replicates=20)
    assert found.area["class"].unique().tolist() == ["all", "cat"]
    assert found.area.n.unique().tolist() == [60, 30]
    assert set(found.contour["class"]) <= {"all", "cat"}
    assert set(found.joint["class"]) == {"all", "cat", "dog", "owl"}


def test_one_seed_is_one_result_whatever_the_batches():
    net, images = some_network(), some_images()
    grid = {"gaussian-noise": [0.2], "rotation": [20]}
    one, two = (
        joint_tolerance(net, images, "gaussian-noise", "rotation", magnitudes=grid, replicates=20, batch_size=size)
        for size in (7, 64)
    )
    assert one.area.equals(two.area)
    np.testing.assert_allclose(one.joint.softmax_true, two.joint.softmax_true, atol=1e-5)
    assert one.joint.accuracy.equals(two.joint.accuracy)


def test_without_labels_agreement_stands_in():
    found = joint_tolerance(
        some_network(), some_images(labels=False), "translation-x", "rotation", magnitudes=GRID, replicates=20
    )
    assert not found.labelled
    assert found.joint.accuracy.isna().all()
    assert found.joint.softmax_true.isna().all()
    assert found.joint.relative.equals(found.joint.agreement)
    assert found.area.share.notna().all()


def test_default_magnitudes_are_those_of_a_measurement():
    found = joint_tolerance(as_network(Bright()), some_images(False), "horizontal-flip", "gain", replicates=5)
    assert sorted(found.joint.magnitude_x.unique()) == [0, 1]
    assert 1.0 in found.joint.magnitude_y.unique()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"y": "translation-x"}, SettingError, "two different transformations; got translation-x twice"),
        ({"levels": [1.0]}, SettingError, "above 0 and below 1; got 1"),
        ({"magnitudes": {"zoom": [2]}}, SettingError, "given for zoom, which is not one of translation-x and rotation"),
        ({"magnitudes": {"rotation": [0]}}, SettingError, "rotation needs a magnitude beside 0"),
        ({"magnitudes": {"rotation": [200]}}, MagnitudeError, "rotation takes magnitudes from -180 to 180"),
    ],
)
def test_mistakes_are_said(settings, error, words):
    settings = {"x": "translation-x", "y": "rotation", **settings}
    with pytest.raises(error, match=words):
        joint_tolerance(some_network(), some_images(), **settings)
