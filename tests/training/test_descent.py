import warnings

import pytest
import torch
from torch import nn

from invariscope.training.descent import RATES, Descent, one_cycle


@pytest.mark.parametrize("steps", [2, 3, 10, 37, 222])
def test_one_cycle_is_that_of_torch(steps):
    weight = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.7, total_steps=steps, cycle_momentum=False)
    expected = []
    for step in range(steps):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if step < steps - 1:
            cycle.step()
    assert [one_cycle(step, steps, 0.7) for step in range(steps)] == pytest.approx(expected, abs=1e-12)


def test_one_step_is_a_cycle():
    assert one_cycle(0, 1, 1.0) > 0


def test_one_step_by_hand():
    weight = nn.Parameter(torch.tensor([2.0]))
    descent = Descent([weight], momentum=0.5, weight_decay=0.1)
    for expected in (2 - 0.1 * (3 + 0.2), 1.68 - 0.1 * (0.5 * 3.2 + 3 + 0.168)):
        (3 * weight).backward()
        descent.step(0.1)
        assert weight.item() == pytest.approx(expected, abs=1e-6)
        assert weight.grad is None


def test_steps_are_those_of_torch():
    one, other = (nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)) for _ in range(2))
    other.load_state_dict(one.state_dict())
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    unused = nn.Parameter(torch.ones(2))
    descent = Descent([*one.parameters(), frozen, unused], 0.9, 5e-4)
    with warnings.catch_warnings():
        optimiser = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for step in range(20):
        inputs = torch.randn(8, 5)
        for network in (one, other):
            network(inputs).square().mean().backward()
        optimiser.param_groups[0]["lr"] = rate = one_cycle(step, 20, 0.05)
        optimiser.step()
        optimiser.zero_grad()
        descent.step(rate)
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-7)
    assert torch.equal(frozen, torch.ones(2))
    assert torch.equal(unused, torch.ones(2))


def test_other_rates_by_hand():
    assert [RATES["constant"](step, 8, 0.3) for step in range(8)] == [0.3] * 8
    got = [RATES["steps"](step, 8, 1.0) for step in range(8)]
    assert got == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_falling_in_steps_is_that_of_torch():
    weight = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.4)
    falling = torch.optim.lr_scheduler.MultiStepLR(optimiser, [20, 30], 0.1)
    for step in range(40):
        assert RATES["steps"](step, 40, 0.4) == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step()
        falling.step()
