"""Networks whose flip magnitude is known in closed form, found image by image at a fine resolution."""

import numpy as np
import pytest
import torch

import invariscope as inv
from invariscope.tolerance.search import find_thresholds
from search_world import CentreOfMass, Lying, readout

QUICK = {"replicates": 50}


def flips(found, side):
    rows = found.images
    return rows[(rows["criterion"] == "first-flip") & (rows["side"] == side)].reset_index(drop=True)


def constant(means):
    return torch.as_tensor(means, dtype=torch.float32)[:, None, None, None].expand(len(means), 1, 2, 2).contiguous()


@pytest.mark.parametrize("seed", range(3))
def test_brightness_flips_where_the_mean_passes_the_cut(seed):
    """Means are odd multiples of 1/256 away from a half, steps 1/128: the flip lies in the middle of its bracket."""
    generator = np.random.default_rng(seed)
    odd = 2 * generator.integers(-30, 30, 25) + 1
    images = inv.Images(constant(0.5 + odd / 256), (odd > 0).astype(int), ["dark", "bright"])
    found = find_thresholds(readout([0.5]), images, "brightness", resolution={"brightness": 1 / 128}, **QUICK)
    for side, sign in (("+", 1), ("-", -1)):
        rows = flips(found, side)
        moves = sign * odd < 0
        assert (rows["threshold"][moves] == -odd[moves] / 256).all()
        assert (rows["bracket_high"][moves] - rows["bracket_low"][moves] == 1 / 128).all()
        assert (rows["censored"] == ~moves).all()
        assert (rows["reentries"] == 0).all()
        # Half of the images that move, of which the sorted middle is known.
        median = found.medians.query("criterion == 'first-flip' and side == @side and `class` == 'all'")
        place = np.sort(np.where(moves, np.abs(odd) / 256, np.inf))[12]
        assert median["censored"].item() == np.isinf(place)
        if np.isfinite(place):
            assert median["median"].item() * sign == pytest.approx(place, abs=1 / 256)


@pytest.mark.parametrize("seed", range(3))
def test_gain_flips_at_the_cut_over_the_mean(seed):
    generator = np.random.default_rng(seed)
    means = generator.uniform(0.2, 0.4, 25)
    images = inv.Images(constant(means), [0] * 25, ["dark", "bright"])
    found = find_thresholds(readout([0.5]), images, ["gain"], resolution={"gain": 0.004}, **QUICK)
    rows = flips(found, "+")
    exact = 0.5 / means
    assert (rows["bracket_low"] < exact + 1e-6).all()
    assert (exact < rows["bracket_high"] + 1e-6).all()
    assert np.allclose(rows["bracket_high"] - rows["bracket_low"], 0.004)
    assert flips(found, "-")["censored"].all()
    # The median of 25 images is that of the thirteenth.
    median = found.medians.query("criterion == 'first-flip' and side == '+' and `class` == 'all'")
    assert median["median"].item() == pytest.approx(np.sort(exact)[12], abs=0.004)


@pytest.mark.parametrize("seed", range(3))
def test_translation_flips_where_the_dot_passes_the_middle(seed):
    """A dot at column c of 32 passes the middle at a shift of (15.5 − c) / 32."""
    generator = np.random.default_rng(seed)
    columns = generator.integers(8, 24, 20)
    # Grey, as what comes in at the side: a ground that has no moment.
    pixels = torch.full((20, 1, 32, 32), 0.5)
    pixels[range(20), 0, generator.integers(8, 24, 20), columns] = 1
    images = inv.Images(pixels, (columns > 15.5).astype(int), ["left", "right"])
    within, resolution = {"translation-x": (-0.25, 0.25)}, {"translation-x": 1 / 128}
    found = find_thresholds(CentreOfMass(), images, "translation-x", resolution=resolution, within=within, **QUICK)
    exact = (15.5 - columns) / 32
    for side, sign in (("+", 1), ("-", -1)):
        rows = flips(found, side)
        moves = sign * exact > 0
        # The flip is a step of the grid, on which the first class of two equal ones is predicted.
        assert (rows["bracket_low"][moves] <= exact[moves]).all()
        assert (rows["bracket_high"][moves] >= exact[moves]).all()
        assert (rows["censored"] == ~moves).all()


def test_a_network_that_sees_no_half_turn_has_images_that_come_back():
    """A bar along the rows stands upright between 45° and 135°, and lies again at 180°."""
    pixels = torch.zeros(3, 1, 33, 33)
    for place, half in enumerate((8, 10, 12)):
        pixels[place, 0, 16, 16 - half : 17 + half] = 1
    images = inv.Images(pixels, [1, 1, 1], ["high", "wide"])
    found = find_thresholds(
        Lying(), images, "rotation", resolution={"rotation": 1}, within={"rotation": (-180, 180)}, **QUICK
    )
    for side, sign in (("+", 1), ("-", -1)):
        rows = flips(found, side)
        assert np.abs(rows["threshold"] - sign * 45).max() <= 1
        assert (rows["reentries"] == 1).all()
        table = found.thresholds.query("`class` == 'all' and criterion == 'agreement' and side == @side")
        assert (table["reentries"] == 1).all()
        assert np.abs(table["threshold"] - sign * 45).max() <= 1
    assert (found.thresholds.query("criterion == 'first-flip'")["reentries"] == 0).all()


def test_a_dip_that_margins_announce_is_found():
    """A window that is left for four steps between two coarse ones: the margins beside it are small."""

    class Dip(torch.nn.Module):
        def forward(self, images):
            mean = images.mean(dim=(1, 2, 3))
            margin = (mean - 0.5775).abs() - 0.02
            return torch.stack([margin, -margin], dim=1)

    images = inv.Images(constant([0.5]), [0], ["in", "out"])
    found = find_thresholds(Dip(), images, "brightness", resolution=["brightness=0.01"], sides="+", **QUICK)
    row = flips(found, "+")
    assert (row["bracket_low"].item(), row["bracket_high"].item()) == (0.05, 0.06)
    assert row["reentries"].item() == 1
