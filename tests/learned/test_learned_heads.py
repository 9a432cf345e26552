"""What the heads do to images, against other libraries and numbers worked out by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from invariscope.core.errors import SettingError, ShapeError
from invariscope.learned.adam import Adam, clipped
from invariscope.learned.heads import filtered, recolour
from invariscope.learned.module import TransformerNet
from invariscope.learned.norm import sampled_move, squared_move
from invariscope.learned.settings import HEADS
from invariscope.learned.steering import Steering
from invariscope.transformations.sampling import fill_values


def images(n=3, channels=3, height=9, width=12, seed=0):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_at_k_0_every_head_gives_the_image_back_bit_for_bit(channels):
    net, shown = TransformerNet(HEADS, channels, seed=3), images(channels=channels)
    nothing = dict.fromkeys(HEADS, torch.zeros(2))
    something = dict.fromkeys(HEADS, torch.tensor([0.4, 0.9]))
    with torch.no_grad():
        assert torch.equal(net(shown, nothing), shown)
        assert torch.equal(net(shown, something, scale=0.0), shown)
        assert torch.equal(net(shown), shown)
        assert not torch.allclose(net(shown, something), shown, atol=1e-3)


def test_k_0_beside_other_k_still_gives_its_image_back():
    net, shown = TransformerNet(HEADS), images(5)
    k = torch.rand(5, 2)
    k[2] = 0
    with torch.no_grad():
        assert torch.equal(net(shown, dict.fromkeys(HEADS, k))[2], shown[2])


def test_an_image_does_not_depend_on_its_neighbours():
    net, shown = TransformerNet(HEADS), images(6)
    k = torch.rand(6, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        together = net(shown, dict.fromkeys(HEADS, k))
        for place in range(6):
            alone = net(shown[place : place + 1], dict.fromkeys(HEADS, k[place]))
            torch.testing.assert_close(alone[0], together[place], atol=1e-6, rtol=1e-5)


def test_another_head_beside_it_does_not_change_a_head():
    k = {"spatial": torch.tensor([[0.3, 0.7]])}
    alone, beside = TransformerNet(("spatial",), seed=4), TransformerNet(HEADS, seed=4)
    assert torch.equal(alone.deviations(k)["spatial"], beside.deviations(k)["spatial"])
    assert not torch.equal(alone.deviations(k)["spatial"], TransformerNet(seed=5).deviations(k)["spatial"])


def test_colours_are_multiplied_by_the_matrix_and_clipped():
    shown = images().double()
    matrix = np.eye(3, 4) + 0.4 * np.random.default_rng(0).standard_normal((3, 4))
    found = recolour(shown, torch.from_numpy(matrix - np.eye(3, 4)).expand(3, -1, -1))
    homogeneous = np.concatenate([shown.numpy(), np.ones((3, 1, 9, 12))], 1)
    np.testing.assert_allclose(found, np.einsum("ij,njhw->nihw", matrix, homogeneous).clip(0, 1), atol=1e-12)
    assert ((found == 0) | (found == 1)).any()


@pytest.mark.parametrize("size", [3, 7])
def test_the_convolution_is_a_correlation_mirrored_at_the_border(size):
    shown = images(2, 3, 5, 6).double()
    kernels = 0.1 * torch.rand(2, size, size, dtype=torch.float64)
    found = filtered(shown, kernels)
    for image, kernel, result in zip(shown, kernels, found, strict=True):
        whole = kernel.numpy().copy()
        whole[size // 2, size // 2] += 1
        expected = [ndimage.correlate(channel, whole, mode="mirror").clip(0, 1) for channel in image.numpy()]
        np.testing.assert_allclose(result, expected, atol=1e-12)


def test_the_kernel_sums_to_one_unless_it_is_free():
    k = {"convolution": torch.tensor([[0.9, 0.2]])}
    assert TransformerNet(("convolution",)).deviations(k)["convolution"].sum().abs() < 1e-6
    assert TransformerNet(("convolution",), kernel_sum="free").deviations(k)["convolution"].sum().abs() > 1e-3


def test_the_spatial_head_samples_as_a_spatial_transformer_does():
    net, shown = TransformerNet(("spatial",), fill="mean"), images()
    matrix = torch.eye(2, 3) + 0.2 * torch.randn(3, 2, 3)
    mean = fill_values(shown, "mean")
    places = F.affine_grid(matrix, list(shown.shape), align_corners=False)
    expected = F.grid_sample(shown - mean, places, align_corners=False) + mean
    torch.testing.assert_close(net.transform(shown, {"spatial": matrix - torch.eye(2, 3)}), expected, atol=2e-5, rtol=0)


def test_a_displacement_that_is_the_same_everywhere_is_a_translation():
    net, shown = TransformerNet(HEADS), images()
    shift = torch.zeros(3, 2, 5, 5)
    shift[:, 0] = 0.25
    translation = torch.zeros(3, 2, 3)
    translation[:, 0, 2] = 0.25
    moved, expected = (
        net.transform(shown, {name: d}) for name, d in (("displacement", shift), ("spatial", translation))
    )
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)
    both = net.transform(shown, {"displacement": -shift, "spatial": translation})
    torch.testing.assert_close(both, shown, atol=1e-5, rtol=0)


@pytest.mark.parametrize("head", HEADS)
def test_gradients(head):
    net = TransformerNet((head,), kernel_size=3, control_points=3, init_std=0.1).double()
    shown = 0.3 + 0.4 * images(1, 3, 5, 5).double()
    start = 0.05 * torch.randn(1, *net.identity(head).shape, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda moved: net.transform(shown, {head: moved}), start.requires_grad_(True))
    net(shown, {head: torch.tensor([[0.6, 0.3]], dtype=torch.float64)}).square().sum().backward()
    for name, weight in net.named_parameters():
        # The last bias cancels in the anchor.
        assert weight.grad.abs().sum() > 0 or name.endswith("2.bias")


def test_the_closed_norm_is_the_mean_over_unit_vectors():
    generator = torch.Generator().manual_seed(0)
    for head, shape in (("colour", (3, 4)), ("spatial", (2, 3))):
        deviations = torch.randn(2, *shape, generator=generator)
        vectors = torch.randn(200_000, shape[1], generator=generator)
        sampled = sampled_move(deviations, vectors)
        torch.testing.assert_close(sampled, squared_move(head, deviations), rtol=0.01, atol=0)
    assert squared_move("spatial", torch.tensor([[[1.0, 0, 0], [0, 0, 2.0]]])).item() == pytest.approx(5 / 3)


def test_the_norm_of_a_convolution_is_the_mean_over_unit_images():
    kernel = 0.2 * torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(2000, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    noise /= noise.flatten(1).norm(dim=1)[:, None, None, None]
    moved = F.conv2d(F.pad(noise, (2, 2, 2, 2), mode="circular"), kernel[:, None])
    mean = moved.flatten(1).square().sum(1).mean()
    torch.testing.assert_close(squared_move("convolution", kernel)[0], mean, rtol=0.02, atol=0)


def test_adam_takes_the_steps_of_torch():
    mine = {"steering.a.0": torch.ones(3), "steering.b.0": torch.zeros(2)}
    theirs = [torch.nn.Parameter(value.clone()) for value in mine.values()]
    adam, reference = Adam(mine), torch.optim.Adam(theirs, lr=0.01)
    for step in range(20):
        gradients = [torch.randn(value.shape, generator=torch.Generator().manual_seed(step)) for value in theirs]
        adam.step(gradients, 0.01)
        for weight, gradient in zip(theirs, gradients, strict=True):
            weight.grad = gradient
        reference.step()
    for ours, weight in zip(mine.values(), theirs, strict=True):
        torch.testing.assert_close(ours, weight.detach(), atol=1e-6, rtol=1e-5)


def test_short_gradients_are_left_alone():
    given = [torch.tensor([0.3, 0.4])]
    assert torch.equal(clipped(given, 1.0)[0], given[0])
    assert torch.equal(clipped([torch.tensor([30.0])], None)[0], torch.tensor([30.0]))


def test_a_random_start_gives_the_matrices_themselves():
    generator = torch.Generator().manual_seed(0)
    identity = torch.eye(2, 3).flatten()
    random = Steering(identity, anchor=False, start="random", init_std=0.03, generator=generator)
    answer = random(torch.zeros(1, 2)) + identity
    assert answer.abs().max() < 1
    assert (answer - identity).norm() > 1


def test_what_the_net_cannot_take():
    net = TransformerNet()
    with pytest.raises(ShapeError, match=r"images \(image, 3, height, width\); got shape \(1, 1, 4, 4\)"):
        net(torch.zeros(1, 1, 4, 4))
    with pytest.raises(ShapeError, match=r"two per image \(2\); got shape \(3, 2\)"):
        net(torch.zeros(2, 3, 4, 4), k_colour=torch.zeros(3, 2))
    with pytest.raises(SettingError, match="convolution"):
        net(torch.zeros(2, 3, 4, 4), {"convolution": torch.zeros(2)})
