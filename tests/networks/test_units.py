import pytest
import torch

from invariscope.core.errors import SettingError
from invariscope.networks.ablate import silence
from invariscope.networks.units import reduce_units

FIRST = torch.rand(2, 3, 4, 5)


@pytest.mark.parametrize("layout", ["channels-first", "channels-last"])
def test_reductions_agree_with_loops(layout: str) -> None:
    activation = FIRST if layout == "channels-first" else FIRST.permute(0, 2, 3, 1)
    for image in range(2):
        for unit in range(3):
            numbers = FIRST[image, unit]
            assert reduce_units(activation, layout)[image, unit] == numbers.max()
            assert reduce_units(activation, layout, reduce="mean")[image, unit] == pytest.approx(float(numbers.mean()))
            assert reduce_units(activation, layout, reduce="centre")[image, unit] == numbers[2, 2]


@pytest.mark.parametrize("layout", ["channels-first", "channels-last"])
def test_positions_are_channel_row_column(layout: str) -> None:
    activation = FIRST if layout == "channels-first" else FIRST.permute(0, 2, 3, 1)
    assert torch.equal(reduce_units(activation, layout, "positions"), FIRST.reshape(2, 60))


def test_tokens() -> None:
    tokens = torch.rand(2, 5, 3)
    assert torch.equal(reduce_units(tokens, "tokens"), tokens.amax(1))
    assert torch.equal(reduce_units(tokens, "tokens", reduce="centre"), tokens[:, 0])
    assert torch.equal(reduce_units(tokens, "tokens", "positions"), tokens.transpose(1, 2).reshape(2, 15))


def test_one_axis_of_places() -> None:
    sequence = torch.rand(2, 3, 7)
    assert torch.equal(reduce_units(sequence, "channels-first"), sequence.amax(2))


@pytest.mark.parametrize("units", ["channels", "positions"])
def test_features_are_units(units: str) -> None:
    features = torch.rand(2, 3)
    assert torch.equal(reduce_units(features, "features", units), features)
    assert reduce_units(torch.rand(4), "features", units).shape == (4, 1)


def test_unknown_settings() -> None:
    with pytest.raises(SettingError, match=r"no reduction is called 'centre1'. Did you mean 'centre'"):
        reduce_units(FIRST, "channels-first", reduce="centre1")
    with pytest.raises(SettingError, match="no kind of unit is called 'channel'"):
        reduce_units(FIRST, "channels-first", "channel")


@pytest.mark.parametrize("units", ["channels", "positions"])
@pytest.mark.parametrize("layout", ["features", "channels-first", "channels-last", "tokens"])
def test_silenced_units_are_zero_and_no_other(layout: str, units: str) -> None:
    shape = {"features": (2, 6), "tokens": (2, 4, 6), "channels-first": (2, 6, 3, 4), "channels-last": (2, 3, 4, 6)}
    activation = torch.rand(shape[layout]) + 1
    before = reduce_units(activation, layout, units)
    mask = torch.arange(before.shape[1]) % 3 == 1
    after = reduce_units(silence(activation, layout, mask), layout, units)
    assert torch.equal(after, torch.where(mask, 0.0, before))


def test_silencing_an_infinite_response() -> None:
    assert silence(torch.tensor([[float("inf")]]), "features", torch.tensor([True])).item() == 0
