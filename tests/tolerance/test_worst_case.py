"""The worst point of every image: known answers, brute force, and laws."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from invariscope.core.errors import ImageError, NetworkError, SettingError
from invariscope.images.images import Images
from invariscope.networks.network import as_network
from invariscope.tolerance.worst_case import worst_case
from invariscope.transformations.joint import Joint


class Bright(nn.Module):
    """Class 0 where the mean is above 0.5, with a margin of twice the difference."""

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3))
        return torch.stack([mean - 0.5, 0.5 - mean], dim=1)


class Spot(nn.Module):
    """Fooled near one setting of gain and brightness only: that which takes pixels (0.25, 0.75) to `target`."""

    target = (0.31, 0.72)

    def forward(self, images):
        pair = images.flatten(2).mean(1)
        away = (pair - torch.tensor(self.target)).norm(dim=1)
        return torch.stack([away - 0.01, torch.zeros_like(away)], dim=1)


def flat(values):
    return torch.tensor(values)[:, None, None, None].expand(-1, 1, 2, 2).clone()


def some_network(seed: int = 0, classes: int = 4) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(54, classes))
    for weight in net.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) / weight[0].numel() ** 0.5
    # No class is favoured.
    net[-1].bias.data -= net(pixels(100)).mean(0).detach()
    return net


def pixels(n: int) -> torch.Tensor:
    """Images of coarse patches."""
    coarse = torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(3))
    return nn.functional.interpolate(coarse, size=(8, 8), mode="bilinear")


def some_images(n: int = 12) -> Images:
    labels = some_network()(pixels(n)).argmax(1)
    labels[0] = (labels[0] + 1) % 4
    return Images(pixels(n), labels, list("abcd"))


QUICK = {"steps": 3, "restarts": 2, "ascent": 6}
REGION = {"rotation": 20, "translation-x": 0.1, "gain": (0.8, 1.1)}


@pytest.mark.parametrize("method", ["grid", "gradient", "both"])
def test_a_linear_network_is_worst_in_the_corner(method):
    values = [0.6, 0.85, 0.95, 0.3, 0.1]
    images = Images(flat(values), [0, 0, 0, 1, 1])
    region = {"gain": (0.7, 1.4), "brightness": 0.1}
    found = worst_case(Bright(), images, region, method=method, steps=3, exhaustive=True, ascent=40)
    # Class 0 is darkest at 0.7 v − 0.1, class 1 brightest at 1.4 v + 0.1; margins are twice the distance from 0.5.
    lowest = [2 * (0.7 * v - 0.1 - 0.5) for v in values[:3]] + [2 * (0.5 - 1.4 * v - 0.1) for v in values[3:]]
    np.testing.assert_allclose(found.worst.margin, lowest, atol=1e-5)
    np.testing.assert_allclose(found.worst.gain, [0.7] * 3 + [1.4] * 2, atol=1e-5)
    np.testing.assert_allclose(found.worst.brightness, [-0.1] * 3 + [0.1] * 2, atol=1e-5)
    assert found.worst.fooled.tolist() == [margin < 0 for margin in lowest] == [True, True, False, True, False]


def test_a_point_inside_the_region_is_found_by_the_gradient_only():
    pair = torch.tensor([0.25, 0.75]).reshape(1, 1, 1, 2).repeat(3, 1, 1, 1)
    images, region = Images(pair, [0, 0, 0]), {"gain": (0.5, 1.5), "brightness": 0.3}
    # gain · (0.25, 0.75) + brightness = target has one solution.
    gain = (Spot.target[1] - Spot.target[0]) / 0.5
    brightness = Spot.target[0] - 0.25 * gain
    grid = worst_case(Spot(), images, region, method="grid", steps=9)
    assert not grid.worst.fooled.any()
    for method in ("gradient", "both"):
        found = worst_case(Spot(), images, region, method=method, steps=3, ascent=40)
        assert found.worst.fooled.all()
        np.testing.assert_allclose(found.worst.gain, gain, atol=0.06)
        np.testing.assert_allclose(found.worst.brightness, brightness, atol=0.04)
        assert found.gradients > 0


def brute_force(net, images, region, steps):
    """Margins of every image at every combination, the identity included."""
    axes = [np.linspace(*(r if isinstance(r, tuple) else (-r, r)), steps).tolist() for r in region.values()]
    joint, labels = Joint(list(region)).with_fill(0.5), torch.as_tensor(images.labels)
    clean = images.fit(as_network(net).recipe).batch(list(range(len(images))))
    rows = []
    for point in [*itertools.product(*axes), joint.identity]:
        logits = net(joint(clean, list(point))).detach()
        own = logits[torch.arange(len(labels)), labels]
        others = logits.scatter(1, labels[:, None], -torch.inf).amax(1)
        rows.append(own - others)
    return torch.stack(rows)


@pytest.mark.parametrize("exhaustive", [False, True])
def test_the_grid_finds_what_brute_force_finds(exhaustive):
    net, images = some_network(), some_images()
    margins = brute_force(net, images, REGION, 4)
    found = worst_case(net, images, REGION, method="grid", steps=4, exhaustive=exhaustive, draws=0)
    fooled = (margins < 0).any(0)
    assert 1 < fooled.sum() < len(images)
    assert found.worst.fooled.tolist() == fooled.tolist()
    row = found.remaining.iloc[0]
    assert row["class"] == "all"
    assert row.worst == pytest.approx(1 - fooled.double().mean().item())
    assert row.clean == pytest.approx((margins[-1] > 0).double().mean().item())
    held = ~fooled if not exhaustive else torch.ones_like(fooled)
    np.testing.assert_allclose(found.worst.margin[held.numpy()], margins.amin(0)[held], atol=1e-5)
    # 64 points, none of them the identity, and the clean image.
    assert found.worst.passes[~fooled.numpy()].tolist() == [65] * int((~fooled).sum())
    assert (found.passes == 12 * 65) == exhaustive
    assert found.passes == found.worst.passes.sum()


@pytest.mark.parametrize("method", ["grid", "gradient", "both"])
def test_at_the_named_point_the_network_says_what_is_told(method):
    net, images = some_network(), some_images()
    found = worst_case(net, images, REGION, method=method, **QUICK).worst
    clean = images.fit(as_network(net).recipe).batch(list(range(len(images))))
    shown = Joint(list(REGION)).with_fill(0.5)(clean, torch.tensor(found[list(REGION)].to_numpy()))
    assert [list("abcd")[place] for place in net(shown).argmax(1).tolist()] == found.predicted.tolist()
    assert (found.fooled == (found.predicted != found["class"])).all()
    assert found.passes[0] == 1
    assert found.loc[0, list(REGION)].tolist() == [0.0, 0.0, 1.0]


def test_batches_do_not_change_anything_and_seeds_do_little():
    net, images = some_network(), some_images()
    one, two = (worst_case(net, images, REGION, batch_size=size, seed=5, **QUICK) for size in (5, 64))
    assert one.worst.drop(columns=["margin", *REGION]).equals(two.worst.drop(columns=["margin", *REGION]))
    np.testing.assert_allclose(one.worst.margin, two.worst.margin, atol=1e-4)
    again = worst_case(net, images, REGION, batch_size=64, seed=5, **QUICK)
    assert again.worst.equals(two.worst)
    assert again.remaining.equals(two.remaining)
    other = worst_case(net, images, REGION, seed=6, **QUICK)
    assert other.remaining.random[0] != two.remaining.random[0]


def test_images_in_another_order_find_the_same():
    net, images = some_network(), some_images()
    order = [5, 0, 11, 3, 2, 1, 4, 10, 9, 8, 7, 6]
    here = worst_case(net, images, REGION, method="grid", steps=3, draws=0).worst
    there = worst_case(net, images.subset(order), REGION, method="grid", steps=3, draws=0).worst
    columns = ["class", "clean_correct", "fooled", *REGION, "predicted"]
    assert there[columns].equals(here.loc[order, columns].reset_index(drop=True))


def test_worse_than_chance_and_than_a_smaller_region():
    net, images = some_network(), some_images(40)
    small = {"rotation": 5, "translation-x": 0.02, "gain": (0.95, 1.05)}
    wide, near = (worst_case(net, images, region, **QUICK) for region in (REGION, small))
    for found in (wide, near):
        assert (found.remaining.worst <= found.remaining.random).all()
        assert found.remaining.random_low[0] < found.remaining.random[0] < found.remaining.random_high[0]
        assert (found.remaining.worst_low <= found.remaining.worst).all()
    assert wide.remaining.worst[0] < near.remaining.worst[0]
    assert wide.remaining["class"].tolist()[0] == "all"
    assert wide.remaining.n[0] == wide.remaining.n[1:].sum() == 40


def test_the_gradient_adds_to_the_grid():
    net, images = some_network(), some_images(40)
    grid = worst_case(net, images, REGION, method="grid", steps=2)
    both = worst_case(net, images, REGION, method="both", steps=2, restarts=2)
    assert set(grid.worst.image[grid.worst.fooled]) < set(both.worst.image[both.worst.fooled])
    assert both.worst.passes.sum() == both.passes
    ways = both.worst.set_index("image").found_by
    assert set(ways) <= {"clean", "grid", "random", "gradient", ""}
    assert set(ways.index[ways.isin(["clean", "grid"])]) == set(grid.worst.image[grid.worst.fooled])
    assert ((ways == "") == ~both.worst.fooled).all()
    assert ((ways == "clean") == ~both.worst.clean_correct).all()
    assert grid.gradients == 0 < both.gradients < both.passes
    assert grid.comparison_passes == 400


def test_axes_without_a_gradient_stay_where_they_start():
    net, images = some_network(), some_images()
    region = {"horizontal-flip": (0, 1), "rotation": 10}
    found = worst_case(net, images, region, method="gradient", restarts=2, ascent=6)
    assert set(found.worst["horizontal-flip"]) <= {0.0, 1.0}
    with pytest.raises(SettingError, match='horizontal-flip has no gradient in its magnitudes; use method="grid"'):
        worst_case(net, images, {"horizontal-flip": (0, 1)}, method="both")


def test_noise_is_the_images_own_in_grid_and_gradient():
    net, images = some_network(), some_images()
    region = {"gaussian-noise": 0.1, "rotation": 10}
    one, two = (worst_case(net, images, region, batch_size=size, **QUICK) for size in (4, 64))
    assert one.worst.fooled.equals(two.worst.fooled)
    np.testing.assert_allclose(one.worst.margin, two.worst.margin, atol=1e-4)


def test_without_labels_an_image_is_fooled_when_its_answer_changes():
    images = some_images()
    bare = Images(images.fit(as_network(some_network()).recipe).pixels)
    found = worst_case(some_network(), bare, REGION, method="grid", steps=3)
    assert not found.labelled
    assert found.worst.clean_correct.all()
    assert found.remaining.clean[0] == 1


def test_nothing_of_the_network_is_changed():
    net = some_network().train()
    before = [weight.clone() for weight in net.parameters()]
    worst_case(net, some_images(), REGION, steps=2)
    assert net.training
    assert all(weight.grad is None for weight in net.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_it_works_where_gradients_are_off():
    with torch.no_grad():
        found = worst_case(some_network(), some_images(), REGION, method="gradient")
    assert found.gradients > 0


class Blocked(nn.Module):
    def forward(self, images):
        return Bright()(images.detach())


def test_mistakes_are_said():
    images = Images(flat([0.9, 0.8]), [0, 0])
    with pytest.raises(SettingError, match=r"no method is called 'gird'. Did you mean 'grid'"):
        worst_case(Bright(), images, {"brightness": 0.1}, method="gird")
    with pytest.raises(SettingError, match="got restarts 0, ascent 20, draws 10"):
        worst_case(Bright(), images, {"brightness": 0.1}, restarts=0)
    with pytest.raises(NetworkError, match='passes no gradient to its input; look for the worst case by method="grid"'):
        worst_case(Blocked(), images, {"brightness": 0.1})
    with pytest.raises(ImageError, match="holds no images"):
        worst_case(Bright(), images.subset([]), {"brightness": 0.1})
