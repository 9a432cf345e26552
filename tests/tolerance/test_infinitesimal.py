"""Sensitivity by layer: worked out by hand, against differences of two passes, and its laws."""

import numpy as np
import pytest
import torch
from torch import nn

from invariscope.core.errors import ImageError, SettingError
from invariscope.images.images import Images
from invariscope.networks.network import Network
from invariscope.tolerance.infinitesimal import sensitivity
from invariscope.tolerance.infinitesimal_flip import first_order_flips
from invariscope.tolerance.infinitesimal_passes import push_batched, push_difference, push_forward
from invariscope.tolerance.infinitesimal_tangents import moves_places, seeds_for, tangent_at_identity
from invariscope.transformations.base import TRANSFORMATIONS

SMOOTH = [name for name, kind in TRANSFORMATIONS.items() if kind.smooth and name != "occlusion"]
FEW = {"phase": False, "replicates": 20}


class CircularPooling(nn.Module):
    """Global mean of features of circular convolutions: a shift on the torus changes nothing."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular")
        self.act = nn.Softplus()
        self.head = nn.Linear(4, 3)

    def forward(self, images):
        return self.head(self.act(self.conv(images)).mean((2, 3)))


def smooth_network():
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1),
        nn.Softplus(),
        nn.Conv2d(5, 6, 3, stride=2),
        nn.GELU(),
        nn.Flatten(),
        nn.LazyLinear(4),
    ).double()


def row(found, layer, transformation=None):
    rows = found.layers[found.layers["layer"] == layer]
    return rows.iloc[0] if transformation is None else rows[rows["transformation"] == transformation].iloc[0]


def test_a_linear_network_changes_by_its_weights_times_the_direction():
    pictures = torch.rand(6, 1, 4, 4) * 0.5 + 0.2
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    found = sensitivity(network, Images(pictures), ["brightness"], **FEW)
    weights, answers = network[1].weight, network(pictures)
    change = 6 * weights.sum(1).square().sum()
    expected = (change / (answers - answers.mean(0)).square().sum()).sqrt().item()
    assert row(found, "output")["sensitivity"] == pytest.approx(expected, rel=1e-5)
    at_image = (6 * 16 / (pictures - pictures.mean(0)).square().sum()).sqrt().item()
    assert row(found, "image")["sensitivity"] == pytest.approx(at_image, rel=1e-5)
    assert row(found, "output")["gain"] == pytest.approx(expected / at_image, rel=1e-5)
    assert row(found, "output")["per_step"] == pytest.approx(0.1 * expected, rel=1e-5)
    assert row(found, "output")["after"] == "image"


def test_brightness_passes_a_rectifier_where_it_is_open():
    pictures = torch.tensor([[0.2, 0.8], [0.4, 0.9], [0.6, 0.7]]).reshape(3, 1, 1, 2)
    shift = nn.Conv2d(1, 1, 1)
    nn.init.ones_(shift.weight)
    nn.init.constant_(shift.bias, -0.5)
    found = sensitivity(nn.Sequential(shift, nn.ReLU()), Images(pictures), ["brightness"], **FEW)
    rectified = (pictures - 0.5).clamp(min=0)
    expected = (4 / (rectified - rectified.mean(0)).square().sum()).sqrt()  # 4 of 6 pixels are above 0.5
    assert row(found, "1")["sensitivity"] == pytest.approx(expected.item(), rel=1e-5)


def test_gain_on_a_network_without_biases_changes_activations_by_themselves():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(5, bias=False)
    )
    pictures = torch.rand(8, 3, 6, 6) * 0.9
    network(pictures)
    found = sensitivity(network, Images(pictures), ["gain"], **FEW)
    hidden = network[:2](pictures).detach()
    for layer, activation in (("1", hidden), ("output", network(pictures).detach())):
        expected = (activation.square().sum() / (activation - activation.mean(0)).square().sum()).sqrt().item()
        assert row(found, layer)["sensitivity"] == pytest.approx(expected, rel=1e-5)
    # Logits grow together, so no gain above 0 changes which is highest: lines meet at 0, one unit below the identity.
    assert found.images["below"].to_numpy() == pytest.approx(np.ones(8), rel=1e-4)
    assert np.isinf(found.images["above"]).all()


def test_a_network_that_ignores_shifts_is_insensitive_to_them_and_not_to_noise():
    pictures = torch.zeros(5, 1, 16, 16)
    pictures[:, :, 5:11, 5:11] = torch.rand(5, 1, 6, 6)
    found = sensitivity(
        CircularPooling(), Images(pictures), {"translation-x": [0.1], "brightness": [0.1]}, replicates=20
    )
    shifted, brighter = row(found, "output", "translation-x"), row(found, "output", "brightness")
    assert shifted["sensitivity"] < 1e-3 * row(found, "image", "translation-x")["sensitivity"]
    assert shifted["selectivity_noise"] < 1e-3
    assert brighter["sensitivity"] > 0.1 * row(found, "image", "brightness")["sensitivity"]


def test_a_layer_that_only_moves_along_is_equivariant_and_not_invariant():
    linear = Network(nn.Sequential(nn.Conv2d(1, 3, 3, padding=1, bias=False, padding_mode="replicate"), nn.Identity()))
    pictures = torch.full((4, 1, 14, 14), linear.recipe.fill[0])
    pictures[:, :, 3:-3, 3:-3] = torch.rand(4, 1, 8, 8)
    along = row(sensitivity(linear, Images(pictures), ["translation-x"], layers="0", **FEW), "0")
    assert along["equivariance"] == pytest.approx(1.0, abs=1e-6)
    assert along["change_to_motion"] == pytest.approx(1.0, abs=1e-4)
    # A filter does not turn with the image.
    turned = row(sensitivity(linear, Images(pictures), ["rotation"], layers="0", **FEW), "0")
    assert turned["equivariance"] < 0.99
    doubled = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
    nn.init.constant_(doubled[0].weight, 2.0)
    nn.init.constant_(doubled[0].bias, 1.0)
    found = row(sensitivity(doubled, Images(pictures), ["zoom"], **FEW), "1")
    assert found["equivariance"] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_smooth_transformation_agrees_with_differences_in_float64(name):
    network, pictures = smooth_network(), torch.rand(4, 3, 10, 10) * 0.8 + 0.1
    network(pictures.double())
    found = sensitivity(network, Images(pictures), [name], layers="1,3", replicates=10, phase=False)
    family = TRANSFORMATIONS[name]().with_fill(Network(network).recipe.fill)
    tangent = tangent_at_identity(family, pictures, seeds_for(family, torch.arange(4), 0)).double()
    step = 1e-6
    for depth, layer in ((2, "1"), (4, "3"), (6, "output")):
        part = network[:depth]
        with torch.no_grad():
            middle = part(pictures.double())
            change = (part(pictures.double() + step * tangent) - part(pictures.double() - step * tangent)) / (2 * step)
        expected = (change.square().sum() / (middle - middle.mean(0)).square().sum()).sqrt().item()
        assert row(found, layer)["sensitivity"] == pytest.approx(expected, rel=1e-5)
    top = middle.topk(2, dim=1).indices
    slope = change.gather(1, top[:, :1]) - change.gather(1, top[:, 1:])
    assert found.images["margin_change"].to_numpy() == pytest.approx(slope[:, 0].numpy(), rel=1e-4, abs=1e-8)


def test_ways_through_the_network_agree():
    network = Network(nn.Sequential(nn.Conv2d(1, 3, 3), nn.SiLU(inplace=True), nn.Flatten()).double())
    pictures, directions = torch.rand(3, 1, 6, 6).double(), torch.randn(2, 3, 1, 6, 6).double()

    def read(site, activation, tangent, field):
        return {"tangent": tangent.clone()}

    ways = [
        push(network, pictures, directions, None, ["1", "output"], read)["1"]["tangent"]
        for push in (push_batched, push_forward, push_difference)
    ]
    assert torch.allclose(ways[0], ways[1], atol=1e-12)
    assert torch.allclose(ways[0], ways[2], atol=1e-5)


@pytest.mark.parametrize("method", ["batched", "forward", "difference"])
def test_batches_do_not_matter_and_neither_does_the_order_of_images(method):
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)).eval()
    pictures = torch.rand(7, 1, 8, 8)
    network(pictures)
    chosen = ["rotation", "brightness", "zoom"]
    whole = sensitivity(network, Images(pictures), chosen, method=method, replicates=50)
    parts = sensitivity(network, Images(pictures), chosen, method=method, batch_size=2, replicates=50)
    for table in ("layers", "images"):
        one, other = (getattr(each, table).select_dtypes("number") for each in (whole, parts))
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=1e-5)
    assert whole.method == method
    turned = sensitivity(network, Images(pictures.flip(0)), chosen, method=method, replicates=50, phase=False)
    np.testing.assert_allclose(turned.layers["sensitivity"], whole.layers["sensitivity"], rtol=1e-4)
    np.testing.assert_allclose(turned.layers["equivariance"], whole.layers["equivariance"], rtol=1e-3, atol=1e-5)


def test_equal_images_leave_no_spread_and_one_image_no_interval():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    same = sensitivity(network, Images(torch.rand(1, 1, 6, 6).expand(3, -1, -1, -1)), ["brightness"], **FEW)
    assert same.layers["sensitivity"].isna().all()
    one = sensitivity(network, Images(torch.rand(1, 1, 6, 6)), ["brightness"], **FEW)
    assert one.layers[["low", "high"]].isna().all(axis=None)


def test_intervals_hold_their_values_and_shrink_with_images():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    pictures = torch.rand(64, 1, 8, 8) * torch.rand(64, 1, 1, 1)
    few, many = (sensitivity(network, Images(pictures[:n]), ["rotation"], phase=False).layers for n in (8, 64))
    for table in (few, many):
        assert (table["low"] <= table["sensitivity"]).all()
        assert (table["sensitivity"] <= table["high"]).all()
    assert ((many["high"] - many["low"]) < (few["high"] - few["low"])).all()


def test_noise_is_as_good_as_any_noise():
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU())
    found = sensitivity(network, Images(torch.rand(40, 1, 10, 10)), ["gaussian-noise"], replicates=20)
    assert found.layers["selectivity_noise"].tolist() == pytest.approx([1.0] * 3, abs=0.05)
    assert found.layers["selectivity_phase"].tolist() == pytest.approx([1.0] * 3, abs=0.05)


def test_units_add_up_to_their_layer():
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Softplus(), nn.Flatten(), nn.LazyLinear(2))
    pictures = torch.rand(5, 1, 6, 6)
    network(pictures)
    found = sensitivity(network, Images(pictures), ["brightness"], units=True, replicates=10)
    assert found.units is not None
    assert found.units.groupby("layer")["unit"].count().to_dict() == {"image": 1, "1": 3, "output": 2}
    maps = network[:2](pictures).detach()
    spread = (maps - maps.mean(0)).square().sum((0, 2, 3))
    own = found.units[found.units["layer"] == "1"]["sensitivity"].to_numpy()
    whole = np.sqrt((own**2 * spread.numpy()).sum() / spread.sum().item())
    assert whole == pytest.approx(row(found, "1")["sensitivity"], rel=1e-5)


def test_lines_meet_where_logits_cross():
    logits = torch.tensor([[2.0, 1.0, 0.5], [1.0, 3.0, 0.0]])
    change = torch.tensor([[-1.0, 1.0, 3.0], [0.0, 0.0, 0.0]])
    found = first_order_flips(logits, change)
    assert found["margin"].tolist() == [1.0, 2.0]
    assert found["estimate"].tolist() == [0.5, np.inf]
    assert found["above"].tolist() == [0.375, np.inf]  # the third class, though it starts further back
    assert found["below"].tolist() == [np.inf, np.inf]


def test_a_linear_classifier_flips_where_the_estimate_says():
    class Bright(nn.Module):
        def forward(self, images):
            mean = images.mean((1, 2, 3))
            return torch.stack([mean - 0.6, 0.6 - mean], dim=1)

    levels = torch.tensor([0.35, 0.5, 0.7, 0.9])
    pictures = levels[:, None, None, None].expand(4, 1, 2, 2).contiguous()
    found = sensitivity(Bright(), Images(pictures), ["brightness"], **FEW).images
    assert found["estimate"].tolist() == pytest.approx([0.25, 0.1, 0.1, 0.3], rel=1e-4)
    assert found["above"].tolist() == pytest.approx([0.25, 0.1, np.inf, np.inf], rel=1e-4)


def test_the_first_flip_of_a_blur_counts_in_pixels():
    class Detail(nn.Module):
        def forward(self, images):
            detail = images.var((1, 2, 3))
            return torch.stack([detail, torch.full_like(detail, 0.01)], dim=1)

    found = sensitivity(Detail(), Images(torch.rand(3, 1, 12, 12)), ["gaussian-blur"], **FEW)
    images = found.images
    assert images["above"].between(0.1, 2).all()
    assert images["below"].isna().all()
    assert row(found, "output")["unit_of_measure"] == "pixels squared"
    assert images["unit_of_measure"].unique().tolist() == ["pixels"]


def test_families_that_change_nothing_are_left_out_and_named():
    found = sensitivity(nn.Sequential(nn.Flatten()), Images(torch.rand(3, 1, 4, 4)), ["hue", "brightness"], **FEW)
    assert found.layers["transformation"].unique().tolist() == ["brightness"]
    assert "hue changed none of these images" in found.notes[0]


def test_every_smooth_family_is_the_default():
    found = sensitivity(nn.Sequential(nn.Flatten()), Images(torch.rand(3, 3, 8, 8)), replicates=5, phase=False)
    assert set(found.layers["transformation"]) == set(SMOOTH)
    assert found.layers[found.layers["depth"] == 0]["equivariance"].notna().sum() == sum(
        moves_places(TRANSFORMATIONS[name]()) for name in SMOOTH
    )


def test_bad_input_is_refused_in_a_sentence():
    network, pictures = nn.Sequential(nn.Flatten()), Images(torch.rand(2, 1, 4, 4))
    with pytest.raises(SettingError, match="jpeg has no derivative in the magnitude"):
        sensitivity(network, pictures, ["jpeg"])
    with pytest.raises(SettingError, match="batch has at least one image; got 0"):
        sensitivity(network, pictures, ["brightness"], batch_size=0)
    with pytest.raises(SettingError, match="method"):
        sensitivity(network, pictures, ["brightness"], method="backward")
    with pytest.raises(ImageError, match="no images"):
        sensitivity(network, pictures.subset([]).fit(Network(network).recipe), ["brightness"])
