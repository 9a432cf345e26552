"""Areas and outlines of a tolerated region: shapes whose area is known, and a fine grid of points as reference."""

import numpy as np
import pytest
from scipy import ndimage

from invariscope.tolerance.tolerated import Plane, within

X, Y = np.linspace(-2, 2, 41), np.linspace(-1, 1, 21)


def plane() -> Plane:
    return Plane(X, Y, 20, 10)


def counted(x, y, values, target, start=None, fine=40):
    """The area by counting points between bilinear values, and scipy's labels of what hangs together."""
    xs, ys = (np.linspace(g[0], g[-1], (len(g) - 1) * fine + 1) for g in (x, y))
    columns = np.stack([np.interp(xs, x, row) for row in np.eye(len(x))], 1)
    rows = np.stack([np.interp(ys, y, row) for row in np.eye(len(y))], 1)
    inside = rows @ values @ columns.T >= target
    if start is not None:
        labels, _ = ndimage.label(inside)
        inside = labels == labels[np.abs(ys - start[1]).argmin(), np.abs(xs - start[0]).argmin()]
    return inside.mean() * (x[-1] - x[0]) * (y[-1] - y[0])


def test_a_cone_has_an_ellipse_and_its_box():
    quality = 1 - np.hypot(X[None] / 2, Y[:, None])
    x_low, x_high, y_low, y_high, share, box, ratio, inside = plane().measure(quality, 0.5)
    assert (x_low, x_high, y_low, y_high) == pytest.approx((-1, 1, -0.5, 0.5))
    # An ellipse in its rectangle: π/4. The linear pieces cut its corners a little.
    assert ratio == pytest.approx(np.pi / 4, abs=5e-3)
    assert inside == pytest.approx(ratio)
    assert box == pytest.approx(1 / 4)
    assert share == pytest.approx(np.pi / 16, abs=2e-3)


def test_where_both_add_up_the_region_is_half_of_its_box():
    quality = 1 - np.abs(X[None]) / 2 - np.abs(Y[:, None])
    measured = plane().measure(quality, 0.5)
    assert measured[6] == pytest.approx(0.5)
    assert measured[7] == pytest.approx(0.5)


def test_where_only_the_worse_of_both_counts_the_region_is_its_box():
    quality = 1 - np.maximum(np.abs(X[None]) / 2, np.abs(Y[:, None]))
    measured = plane().measure(quality, 0.5)
    assert measured[6] == pytest.approx(1)
    assert measured[7] == pytest.approx(1)


def test_where_one_undoes_the_other_the_region_leaves_its_box():
    quality = 1 - np.abs(X[None] - Y[:, None])
    measured = plane().measure(quality, 0.5)
    x_low, x_high, y_low, y_high, _, _, ratio, inside = measured
    assert (x_low, x_high, y_low, y_high) == pytest.approx((-0.5, 0.5, -0.5, 0.5))
    # A band of width 1 across, for y from −1 to 1, against a square of side 1; three quarters of that are in the band.
    assert ratio == pytest.approx(2)
    assert inside == pytest.approx(0.75)


def test_an_island_is_not_connected_with_the_identity():
    quality = np.maximum(1 - np.hypot(X[None] + 1, Y[:, None]) * 2, 1 - np.hypot(X[None] - 1, Y[:, None]) * 2)
    here = Plane(X, Y, 10, 10)
    alone = here.measure(quality, 0.5)[4] * here.area
    assert within(X, Y, quality, 0.5, None) == pytest.approx(2 * alone)
    assert alone == pytest.approx(np.pi / 16, abs=0.01)


def test_a_hole_is_no_part_of_the_area():
    ring = 1 - np.abs(np.hypot(X[None], Y[:, None]) - 0.6) * 4
    area = within(X, Y, ring, 0.5, np.array([0.6, 0.0]))
    assert area == pytest.approx(np.pi * (0.725**2 - 0.475**2), abs=0.02)
    assert area == pytest.approx(counted(X, Y, ring, 0.5), rel=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_any_surface_agrees_with_counting(seed):
    draw = np.random.default_rng(seed)
    x, y = np.sort(draw.uniform(-3, 3, 7)), np.sort(draw.uniform(0, 1, 6))
    values = draw.random((6, 7))
    at = (int(draw.integers(7)), int(draw.integers(6)))
    values[at[1], at[0]] = 1
    # At a saddle the middle of four points decides, where counting has a curve: small squares only.
    assert within(x, y, values, 0.4, None) == pytest.approx(counted(x, y, values, 0.4), rel=0.05)
    measured = Plane(x, y, *at).measure(values, 0.4)
    assert measured[4] * (x[-1] - x[0]) * (y[-1] - y[0]) <= within(x, y, values, 0.4, None) + 1e-6
    assert not np.isnan(measured[4])
    assert measured[4] > 0


@pytest.mark.parametrize(("column", "row"), [(0, 0), (40, 20), (0, 10), (20, 20)])
def test_an_identity_at_the_edge_of_the_grid(column, row):
    here = Plane(X, Y, column, row)
    quality = 1 - np.abs(X - X[column])[None] / 2 - np.abs(Y - Y[row])[:, None]
    measured = here.measure(quality, 0.5)
    assert measured[6] == pytest.approx(0.5)
    assert here.censored(quality, 0.5) == 0


def test_what_is_tolerated_everywhere_fills_the_grid_and_is_told():
    everywhere = np.ones((21, 41))
    assert plane().measure(everywhere, 0.9).tolist() == [-2, 2, -1, 1, 1, 1, 1, 1]
    assert plane().censored(everywhere, 0.9) == 4
    assert plane().outline(everywhere, 0.9) == []
    across = np.broadcast_to(1 - np.abs(Y)[:, None], (21, 41)).copy()
    assert plane().censored(across, 0.5) == 2


def test_what_equals_the_level_is_within():
    measured = plane().measure(np.where(np.abs(X)[None] + Y[:, None] * 0 <= 1, 1.0, 0.9), 0.9)
    assert measured[4] == pytest.approx(1)


def test_without_a_clean_value_nothing_is_known():
    assert np.isnan(plane().measure(np.zeros((21, 41)), 0.9)).all()
    assert plane().outline(np.full((21, 41), np.nan), 0.9) == []


def test_the_outline_lies_on_the_level():
    quality = 1 - np.hypot(X[None] / 2, Y[:, None])
    (path,) = plane().outline(quality, 0.5)
    assert path[0].tolist() == path[-1].tolist()
    assert np.hypot(path[:, 0] / 2, path[:, 1]) == pytest.approx(0.5, abs=5e-3)
