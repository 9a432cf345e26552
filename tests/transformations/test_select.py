"""What a person types, and which transformations and magnitudes that means."""

import pytest

from invariscope.core.errors import MagnitudeError, SettingError, UnknownNameError
from invariscope.transformations.base import TRANSFORMATIONS
from invariscope.transformations.gaussian_blur import GaussianBlur
from invariscope.transformations.rotation import Rotation
from invariscope.transformations.select import select_transformations


@pytest.mark.parametrize("everything", [None, "all", ["all"], "", []])
def test_nothing_or_all_is_everything_on_its_default_grid(everything):
    chosen = select_transformations(everything)
    assert [one.name for one, _ in chosen] == list(TRANSFORMATIONS)
    assert all(grid is None for _, grid in chosen)


def test_names_keep_their_order_and_stand_once():
    chosen = select_transformations(" shear, rotation,shear")
    assert [one.name for one, _ in chosen] == ["shear", "rotation"]


def test_names_and_transformations_mix():
    own = Rotation(fill="border")
    assert select_transformations(["gaussian-blur", own]) == [(GaussianBlur(), None), (own, None)]


def test_one_transformation_with_two_settings_is_an_error():
    assert len(select_transformations([Rotation(), "rotation"])) == 1
    with pytest.raises(SettingError, match="rotation is asked for with two settings"):
        select_transformations(["rotation", Rotation(fill="border")])


def test_a_mapping_gives_magnitudes_in_rising_order():
    chosen = select_transformations({"rotation": [90, 30, 90], "shear": [0.0]})
    assert [(one.name, grid) for one, grid in chosen] == [("rotation", (30.0, 90.0)), ("shear", (0.0,))]


@pytest.mark.parametrize(
    ("typed", "grid"),
    [
        (["rotation=0:180:13"], tuple(float(v) for v in range(0, 181, 15))),
        (["rotation=0,15,30"], (0.0, 15.0, 30.0)),
        (["rotation=-10:10:3", "rotation=45"], (-10.0, 0.0, 10.0, 45.0)),
        (["rotation = 5 , 1e1"], (5.0, 10.0)),
        (["rotation=0:0.3:4"], (0.0, 0.1, 0.2, 0.3)),
    ],
)
def test_magnitudes_are_read(typed, grid):
    assert select_transformations("rotation", typed) == [(Rotation(), grid)]


def test_magnitudes_leave_the_others_on_their_default_grid():
    chosen = dict((one.name, grid) for one, grid in select_transformations(None, ["zoom=0.5,2"]))
    assert chosen["zoom"] == (0.5, 2.0)
    assert chosen["rotation"] is None
    assert len(chosen) == len(TRANSFORMATIONS)


@pytest.mark.parametrize("text", ["rotation", "rotation=", "rotation=a", "rotation=0:180", "rotation=0:180:x"])
def test_what_cannot_be_read_is_said_with_the_way_to_write_it(text):
    with pytest.raises(MagnitudeError, match=r"cannot be read; write rotation=0:180:13 \(first:last:count\)"):
        select_transformations("rotation", [text])


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'rotation'"):
        select_transformations("rotaton")
    with pytest.raises(UnknownNameError, match="Did you mean 'zoom'"):
        select_transformations("rotation", ["zom=1"])


def test_magnitudes_outside_the_span_name_the_unit():
    with pytest.raises(MagnitudeError, match=r"rotation takes magnitudes from -180 to 180 \(degrees\); got 270"):
        select_transformations("rotation", ["rotation=0:270:4"])
    with pytest.raises(MagnitudeError, match="gaussian-blur takes magnitudes from 0 upwards"):
        select_transformations({"gaussian-blur": [-1.0]})
    with pytest.raises(MagnitudeError, match="got nan"):
        select_transformations({"rotation": [float("nan")]})
    with pytest.raises(MagnitudeError, match="jpeg takes whole magnitudes"):
        select_transformations({"jpeg": [50.5]})


def test_magnitudes_of_what_is_not_asked_for_are_an_error():
    with pytest.raises(MagnitudeError, match=r"given for shear, which is not among the transformations .*\(rotation\)"):
        select_transformations("rotation", ["shear=10"])


def test_no_magnitude_at_all_is_an_error():
    with pytest.raises(MagnitudeError, match="no magnitude is given for rotation"):
        select_transformations({"rotation": []})
