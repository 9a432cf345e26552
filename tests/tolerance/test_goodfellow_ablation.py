import numpy as np
import pytest
import torch
from silent_world import Tail, random_tails

from invariscope.core.errors import SettingError
from invariscope.measures.functions import goodfellow
from invariscope.tolerance.goodfellow_ablation import SHARES, firing_thresholds, silence_by_firing
from invariscope.tolerance.silencing import Reading

FLAT = Reading("features")


def test_the_papers_shares():
    assert SHARES == (0.005, 0.01, 0.05, 0.1, 0.2, 0.4)


def test_a_unit_fires_for_its_share_of_the_clean_images():
    clean = torch.rand(1000, 5)
    fires = clean > firing_thresholds(clean)[:, None]
    assert fires.sum(1).tolist() == [[round(share * 1000)] * 5 for share in SHARES]


def test_the_thresholds_are_those_of_the_measure():
    clean, transformed = torch.rand(200, 4), torch.rand(200, 4)
    for share, threshold in zip(SHARES, firing_thresholds(clean), strict=True):
        firing = goodfellow(clean, transformed, firing=share)
        assert torch.equal(firing["local_unconditioned"], (transformed > threshold).float().mean(0))
        assert torch.equal(firing["global"], (clean > threshold).float().mean(0))


def test_a_class_that_is_told_by_weak_activity_is_lost_without_it():
    # 100 images, each driving its class's unit by a level of its own: with the top 10 % only ten answers are left
    levels = torch.linspace(0.01, 1, 100)
    activation = torch.stack([torch.zeros(100), levels], dim=1)
    tail = Tail(activation, torch.eye(2), torch.tensor([1e-3, 0.0]))
    labels = torch.ones(100, dtype=torch.int64)
    found = silence_by_firing([tail], activation, labels, FLAT)
    assert found.without_inactive.mean(axis=1) == pytest.approx([0.0, 0.01, 0.05, 0.1, 0.2, 0.4])
    assert found.without_active.mean(axis=1) == pytest.approx([1.0, 0.99, 0.95, 0.9, 0.8, 0.6])


def test_the_thresholds_come_from_clean_images_whatever_is_classified():
    (tail,), labels, activation = random_tails()
    clean = activation / 2
    found = silence_by_firing([tail], clean, labels, FLAT, [0.2])
    (threshold,) = firing_thresholds(clean, [0.2])
    expected = (tail(activation * (activation > threshold)).argmax(1) == labels).numpy()
    assert (found.without_inactive[0] == expected).all()
    assert np.allclose(found.active_share[0], (activation > threshold).double().mean(1))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(SettingError, match="firing takes a share between 0 and 1"):
        firing_thresholds(torch.rand(5, 2), [share])
