import numpy as np
import pytest
import torch

from invariscope.core.errors import SettingError
from invariscope.tolerance.cardinality import cardinalities

CLEAN = torch.tensor([[1.0, 0.0, 0.0], [0.1, 0.3, 0.0], [0.05, 0.0, 0.0], [0.0, 0.0, 0.0]])
TRANSFORMED = torch.tensor([[0.0, 4.0, 0.0], [0.2, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.4, 0.0]])


def test_by_hand():
    # peaks 1, 4, 0; above .1 and .4: unit 0 in images 0 and 1, unit 1 in 0 and 2 (.4 is a tie), unit 2 never
    found = cardinalities(CLEAN, TRANSFORMED, 0.1)
    assert found.of_images.tolist() == [0.5, 0.5, 0.0]
    assert found.of_units.tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 0])
    assert found.clean_units.tolist() == pytest.approx([1 / 3, 0, 0, 0])
    assert found.transformed_units.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert found.alive.tolist() == [True, True, False]


def test_both_shares_count_the_same_pairs():
    clean, transformed = torch.rand(2, 40, 9)
    found = cardinalities(clean, transformed, 0.7)
    assert found.of_images.mean() == pytest.approx(found.of_units.mean())
    peak = torch.maximum(clean, transformed).amax(0)
    assert found.of_images.mean() == pytest.approx(
        (torch.maximum(clean, transformed) > 0.7 * peak).double().mean().item()
    )


def test_the_peak_of_more_images_can_be_given():
    found = cardinalities(CLEAN[1:], TRANSFORMED[1:], 0.1, peak=torch.tensor([1.0, 4.0, 0.0]))
    assert found.of_images.tolist() == pytest.approx([1 / 3, 1 / 3, 0])


def test_the_summary_leaves_dead_units_out():
    table = cardinalities(CLEAN, TRANSFORMED, 0.1).summary().set_index("share")
    assert table.loc["of_images", ["n", "mean", "low", "high"]].tolist() == [2, 0.5, 0.5, 0.5]
    assert table.loc["of_units", "median"] == pytest.approx(1 / 3)


def test_a_layer_that_is_silent_is_unknown():
    table = cardinalities(torch.zeros(3, 2), torch.zeros(3, 2), 0.1).summary().set_index("share")
    assert table.loc["of_images", "n"] == 0
    assert np.isnan(table.loc["of_images", "mean"])
    assert table.loc["of_units", "mean"] == 0


def test_the_distribution_counts_everything_once():
    table = cardinalities(torch.rand(50, 30), torch.rand(50, 30), 0.8).distribution(bins=10)
    for share, n in (("of_images", 30), ("of_units", 50)):
        own = table[table["share"] == share]
        assert own["count"].sum() == n
        assert own["part"].sum() == pytest.approx(1)
        assert own["from"].iloc[0] == 0
        assert own["to"].iloc[-1] == 1


def test_bad_input_is_refused():
    with pytest.raises(SettingError, match="got 1"):
        cardinalities(CLEAN, TRANSFORMED, 1.0)
