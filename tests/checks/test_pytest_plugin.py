"""The plugin of pytest, in a pytest of its own: this one must not import the package before the shape checker does."""

import tomllib
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = ("pytester",)
PLUGIN = "invariscope.checks.pytest_plugin"
NETWORK = """
from torch import nn

def made():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
"""
CONTRACT = """
[check]
network = "net.py:made"
images = "images.npz"
device = "cpu"
"""
# Red images stay red under every rotation; half of them are labelled green, so that accuracy is a half.
REQUIREMENTS = """
[[require]]
transformation = "rotation"
magnitude = 90
at_least = 0.3

[[require]]
name = "too much"
transformation = "rotation"
magnitude = 90
at_least = 0.9

[[require]]
transformation = "rotation"
magnitude = [-90, 90]
at_least = 0.55
"""
IMAGES = """
import numpy as np
np.savez("images.npz", images=np.full((60, 8, 8, 3), [200, 20, 20], np.uint8), labels=np.arange(60) % 2)
"""
TESTS = """
import pytest

def asked(at_least):
    return {"require": [{"transformation": "rotation", "magnitude": 90, "at_least": at_least}]}

def test_that_is_kept(invariscope_check):
    run = invariscope_check("net.py:made", "images.npz", asked(0.3), device="cpu")
    assert run.verdict == "passes"
    assert (run.path / "junit.xml").exists()

def test_that_is_broken(invariscope_check):
    invariscope_check("net.py:made", "images.npz", asked(0.9), device="cpu")

def test_that_may_be_undecided(invariscope_check):
    assert invariscope_check("net.py:made", "images.npz", asked(0.55), device="cpu", allow_undecided=True).kept
"""
LIGHT = """
import sys

def pytest_collection_finish():
    print("heavy:", [name for name in ("torch", "pandas", "timm") if name in sys.modules])
"""


def run(pytester, *more):
    return pytester.runpytest_subprocess("-p", "no:invariscope", "-p", PLUGIN, "-p", "no:cacheprovider", *more)


def test_contracts_are_tests(pytester):
    pytester.makepyfile(net=NETWORK, test_fixture=TESTS)
    exec(IMAGES)
    pytester.path.joinpath("strict.invariscope.toml").write_text(CONTRACT + REQUIREMENTS)
    lenient = CONTRACT + "allow_undecided = true\n" + REQUIREMENTS
    pytester.path.joinpath("lenient.invariscope.toml").write_text(lenient)
    lost = CONTRACT.replace("net.py", "nowhere.py") + REQUIREMENTS
    pytester.path.joinpath("lost.invariscope.toml").write_text(lost)
    found = run(pytester, "-v", "-rs", "--junitxml=all.xml")
    assert found.parseoutcomes() == {"passed": 4, "failed": 7, "skipped": 1}
    found.stdout.fnmatch_lines_random(
        [
            "strict.invariscope.toml::1-rotation-90-accuracy PASSED*",
            "strict.invariscope.toml::2-too much FAILED*",
            "strict.invariscope.toml::3-rotation--90,90-accuracy FAILED*",
            "lenient.invariscope.toml::3-rotation--90,90-accuracy SKIPPED*",
            "fails: 2. too much: accuracy of at least 90*under rotation of 90*",
            "  fails: rotation 90*: 50.0*[[]37.7, 62.3[]], required 90*, n = 60",
            "  undecided: rotation *90*required 55*, n = 60; about 390 images would decide it",
            "*the network's code is read from a file; at nowhere.py there is none.",
            "test_fixture.py::test_that_is_broken FAILED*",
        ]
    )
    # What a person's own mistake is told by has no traceback.
    assert "Traceback" not in found.stdout.str()
    assert "contract.py" not in found.stdout.str()
    cases = ElementTree.parse(pytester.path / "all.xml").iter("testcase")
    [case] = [
        case for case in cases if case.get("name") == "1-rotation-90-accuracy" and "strict" in case.get("classname")
    ]
    told = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert (told["verdict"], float(told["estimate"]), told["n"]) == ("passes", 0.5, "60")


def test_collecting_loads_nothing_heavy_and_tells_mistakes(pytester):
    pytester.makeconftest(LIGHT)
    pytester.path.joinpath("good.invariscope.toml").write_text(CONTRACT + REQUIREMENTS)
    pytester.path.joinpath("other.toml").write_text("[[require]]\n")
    found = run(pytester, "--collect-only", "-q", "-s")
    found.stdout.fnmatch_lines(["*heavy: []*"])
    assert sum(line.startswith("good.invariscope.toml::") for line in found.outlines) == 3
    pytester.path.joinpath("bad.invariscope.toml").write_text(CONTRACT + REQUIREMENTS.replace("at_least", "at_last"))
    pytester.path.joinpath("bare.invariscope.toml").write_text('[check]\nnetwork = "a"\n' + REQUIREMENTS)
    found = run(pytester, "--collect-only")
    assert found.ret == pytest.ExitCode.INTERRUPTED
    found.stdout.fnmatch_lines_random(
        [
            "*bad.invariscope.toml, requirement 1: no key is called 'at_last'. Did you mean 'at_least'?*",
            "*bare.invariscope.toml: name images in its table [[]check[]].",
        ]
    )


def test_the_plugin_is_declared_and_kept_out_of_this_suite(request):
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {"invariscope": PLUGIN}
    assert import_module(PLUGIN).pytest_collect_file
    assert not request.config.pluginmanager.has_plugin("invariscope")
    assert not request.config.pluginmanager.has_plugin(PLUGIN)
