"""Contracts as files: what is read, and one sentence for every mistake."""

import math
import tomllib

import pytest

from invariscope.checks.contract import Contract, Requirement, as_toml
from invariscope.checks.read import parse_contract, read_contract
from invariscope.checks.terms import check_classes, find_terms, grids
from invariscope.core.errors import SettingError

FILE = """
name = "tilted"

[check]
network = "net.py:made"
images = "images/"
limit = 100

[defaults]
at_least = 0.8
level = 0.5
classes = ["cat"]

[[require]]
transformation = "rotation"
magnitude = 15

[[require]]
name = "no label is needed"
transformation = "hue"
magnitude = [-20, 20.5]
quality = "agreement"
at_least = 0.9
classes = ["dog", "cat"]

[[require]]
transformation = "rotation"
threshold_at_least = 12
side = "-"
"""


def test_a_file_is_read_with_its_defaults(tmp_path):
    (tmp_path / "contract.toml").write_text(FILE)
    found = read_contract(tmp_path / "contract.toml")
    assert found.name == "tilted"
    assert found.check == {"network": "net.py:made", "images": "images/", "limit": 100}
    first, second, third = found.requirements
    assert (first.magnitudes, first.at_least, first.quality, first.classes) == ((15,), 0.8, "accuracy", ("cat",))
    assert (second.magnitudes, second.quality, second.classes) == ((-20, 20.5), "agreement", ("dog", "cat"))
    assert (third.threshold_at_least, third.level, third.side, third.magnitudes) == (12, 0.5, "-", ())
    assert math.isnan(third.at_least)
    assert found.text == FILE


def test_a_written_contract_reads_as_itself():
    asked = (
        Requirement("rotation", (15.0,), 0.8, name='say "15\\°"\n'),
        Requirement("hue", (-1e-07, 0.1 + 0.2), 1.0, quality="agreement", classes=('a "b"', "ü")),
        Requirement("jpeg", threshold_at_least=50.0, level=0.123456789, side="-", quality="softmax"),
    )
    contract = Contract(asked, "mine", {"network": "a\\b", "limit": 5, "strict": True})
    again = parse_contract(tomllib.loads(as_toml(contract, "two\nlines")))
    assert [each.plain() for each in again.requirements] == [each.plain() for each in asked]
    assert (again.name, again.check) == (contract.name, contract.check)


GOOD = {"transformation": "rotation", "magnitude": 15, "at_least": 0.8}
THRESHOLD = {"transformation": "rotation", "threshold_at_least": 12}


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ({**GOOD, "magnitde": 3}, ["'magnitde'", "Did you mean 'magnitude'"]),
        ({**GOOD, "threshold_at_least": 12}, ["magnitude", "threshold_at_least", "two requirements"]),
        ({"transformation": "rotation", "at_least": 0.8}, ["neither", "magnitude", "threshold_at_least"]),
        ({"magnitude": 15, "at_least": 0.8}, ["transformation is missing"]),
        ({"transformation": "rotation", "magnitude": 15}, ["at_least is missing", "0.8"]),
        ({**GOOD, "level": 0.9}, ["level says nothing beside magnitude"]),
        ({**GOOD, "side": "+"}, ["side says nothing beside magnitude"]),
        ({**THRESHOLD, "at_least": 0.9}, ["at_least says nothing beside threshold_at_least"]),
        ({**GOOD, "at_least": 80}, ["at_least takes a share from 0 to 1", "80"]),
        ({**GOOD, "at_least": -0.1}, ["at_least", "-0.1"]),
        ({**GOOD, "at_least": "0.8"}, ["at_least takes a number", "'0.8'"]),
        ({**GOOD, "at_least": math.nan}, ["at_least takes a number", "nan"]),
        ({**GOOD, "magnitude": True}, ["magnitude takes a number", "True"]),
        ({**GOOD, "magnitude": []}, ["magnitude", "empty"]),
        ({**GOOD, "magnitude": [1, "x"]}, ["magnitude takes a number", "'x'"]),
        ({**GOOD, "quality": "precision"}, ["quality takes one of accuracy, agreement, softmax", "'precision'"]),
        ({**GOOD, "classes": "cat"}, ["classes takes a list", "'cat'"]),
        ({**GOOD, "classes": []}, ["classes takes a list"]),
        ({**GOOD, "transformation": 3}, ["transformation takes text", "3"]),
        ({**THRESHOLD, "level": 0}, ["level", "above 0"]),
        ({**THRESHOLD, "level": 1.5}, ["level", "1.5"]),
        ({**THRESHOLD, "side": "left"}, ["side takes one of +, -", "'left'"]),
    ],
)
def test_a_mistake_names_the_requirement_and_the_key(requirement, words):
    with pytest.raises(SettingError) as told:
        parse_contract({"require": [GOOD, requirement]}, "mine.toml")
    sentence = str(told.value)
    assert sentence.startswith("mine.toml, requirement 2: ")
    assert "\n" not in sentence
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, ["requires nothing", "[[require]]"]),
        ({"require": []}, ["requires nothing"]),
        ({"requires": [GOOD]}, ["'requires'", "Did you mean 'require'"]),
        ({"require": GOOD}, ["[[require]]"]),
        ({"require": [GOOD], "name": 3}, ["name takes text"]),
        ({"require": [GOOD], "defaults": 3}, ["[defaults]"]),
        ({"require": [GOOD], "defaults": {"magnitude": 3}}, ["[defaults]", "'magnitude'"]),
        ({"require": [GOOD], "check": {"netwrk": "a"}}, ["[check]", "'netwrk'", "Did you mean 'network'"]),
        ({"require": [GOOD], "check": {"limit": "many"}}, ["[check]", "limit takes a whole number", "'many'"]),
        ({"require": [GOOD], "check": {"limit": True}}, ["limit takes a whole number"]),
    ],
)
def test_a_mistake_elsewhere_is_told_too(content, words):
    with pytest.raises(SettingError) as told:
        parse_contract(content, "mine.toml")
    assert all(word in str(told.value) for word in words), told.value


def test_what_is_no_file_or_no_toml_is_told(tmp_path):
    with pytest.raises(SettingError, match=r"nowhere\.toml cannot be read"):
        read_contract(tmp_path / "nowhere.toml")
    (tmp_path / "a.toml").write_text("[[require]\n")
    with pytest.raises(SettingError, match=r"a\.toml is not TOML"):
        read_contract(tmp_path / "a.toml")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match=r"a\.toml is not TOML"):
        read_contract(tmp_path / "a.toml")


def contract(**keys):
    return parse_contract({"require": [GOOD, {"transformation": "rotation", **keys}]}, "mine.toml")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"transformation": "rotaton", "magnitude": 1, "at_least": 0.5}, ["'rotaton'", "Did you mean 'rotation'"]),
        ({"magnitude": 200, "at_least": 0.5}, ["-180 to 180", "got 200"]),
        ({"transformation": "jpeg", "magnitude": 7.5, "at_least": 0.5}, ["whole", "7.5"]),
        ({"threshold_at_least": 0}, ["identity"]),
        ({"threshold_at_least": 200}, ["threshold_at_least = 200", "200"]),
        ({"transformation": "contrast", "threshold_at_least": 2.5}, ["-0.5", 'side = "+"']),
        ({"transformation": "gaussian-blur", "threshold_at_least": 1, "side": "-"}, ['side "-"', "leave side out"]),
    ],
)
def test_what_the_transformations_do_not_have_is_told(keys, words):
    with pytest.raises(SettingError) as told:
        find_terms(contract(**keys), (32, 32))
    assert str(told.value).startswith("mine.toml, requirement 2: ")
    assert all(word in str(told.value) for word in words), told.value


def test_a_class_that_the_network_does_not_have_is_told():
    asked = contract(magnitude=3, at_least=0.5, classes=["cta"])
    with pytest.raises(SettingError, match=r"mine\.toml, requirement 2: .*'cta'.*Did you mean 'cat'"):
        check_classes(asked, ("cat", "dog"))
    with pytest.raises(SettingError, match="no class scores"):
        check_classes(asked, ())
    check_classes(asked, ("cta", "dog"))


def targets(**keys):
    term = find_terms(contract(**keys), (32, 32))[1]
    return {side.sign: side.target for side in term.sides}


def test_a_threshold_is_required_as_far_on_every_side():
    assert targets(threshold_at_least=12) == {"+": 12, "-": -12}
    assert targets(threshold_at_least=12, side="-") == targets(threshold_at_least=-12, side="-") == {"-": -12}
    assert targets(transformation="zoom", threshold_at_least=1.25) == {"+": 1.25, "-": 0.75}
    assert targets(transformation="zoom", threshold_at_least=0.75, side="-") == {"-": 0.75}
    assert targets(transformation="gaussian-blur", threshold_at_least=1) == {"+": 1}
    assert targets(transformation="jpeg", threshold_at_least=50) == {"-": 50}


def test_the_grid_of_a_threshold_goes_beyond_it_within_the_span():
    [_, term] = find_terms(contract(threshold_at_least=40), (32, 32))
    up, down = term.sides
    assert up.grid[0] == 0
    assert up.grid[-1] == 60
    assert {35, 37.5, 40, 42.5, 45} <= set(up.grid)
    # The default grid's own magnitudes are there, so that a dip on the way is not missed.
    assert {15, 30, 45} <= set(up.grid)
    assert down.grid == tuple(-value + 0.0 for value in reversed(up.grid))
    [_, whole] = find_terms(contract(transformation="jpeg", threshold_at_least=20), (32, 32))
    assert all(value == round(value) for value in whole.sides[0].grid)
    assert min(whole.sides[0].grid) == 1
    assert 20 in whole.sides[0].grid
    [_, last] = find_terms(contract(transformation="horizontal-flip", threshold_at_least=1), (32, 32))
    assert last.sides[0].grid == (0, 1)


def test_transformations_are_shown_once_with_all_their_magnitudes():
    shown = grids(find_terms(contract(magnitude=[-30, 15, 40], at_least=0.5), (32, 32)))
    assert list(shown.values()) == [(-30, 0, 15, 40)]
