"""The door: exit codes, one sentence per mistake, help, what is printed where."""

import errno
import json
import subprocess
import sys

import pytest

from invariscope.cli import main as door
from invariscope.cli.main import VERBS, main
from invariscope.core.errors import SettingError


def said(capsys):
    out, err = capsys.readouterr()
    return out, err.strip()


def one_sentence(capsys) -> str:
    out, err = said(capsys)
    assert out == ""
    assert err.startswith("invariscope: ")
    assert "\n" not in err
    assert "Traceback" not in err
    return err


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    out, _ = said(capsys)
    assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_has_the_shared_options(verb, capsys):
    assert main([verb, "--help"]) == 0
    out, _ = said(capsys)
    for option in (
        "--out",
        "--resume",
        "--overwrite",
        "--device",
        "--seed",
        "--json",
        "--quiet",
        "--config",
        "--debug",
    ):
        assert option in out


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["mesure"], ["mesure", "Did you mean", "measure"]),
        (["measure", "builtin:cnn"], ["--images"]),
        (["measure", "a", "b", "--tua", "1"], ["--tua", "--tau"]),
        (["measure", "a", "b", "c"], ["'c'"]),
        (["measure", "a", "b", "--units", "neurons"], ["neurons", "channels", "positions"]),
        (["measure", "a", "b", "--tau", "much"], ["--tau", "much"]),
        (["measure", "a", "b", "--config", "nowhere.toml"], ["nowhere.toml", "cannot be read"]),
        (["measure", "a", "b", "--resume"], ["--resume", "--out"]),
        (["measure", "a", "b", "--resume", "--overwrite", "--out", "x"], ["--resume", "--overwrite"]),
        (["layers", "builtin:resnot"], ["resnot", "Known"]),
        (["layers", "torchvision:resnet19"], ["resnet19", "Did you mean 'resnet18'"]),
        (["report", "nowhere"], ["nowhere", "run.json"]),
        (["responses", "nowhere.npz"], ["nowhere.npz"]),
        (["train", "builtin:glyphs", "--seen", "many"], ["--seen", "many"]),
        (["train", "builtin:glyphs", "--seeds", "0"], ["--seeds", "0"]),
        (["train", "builtin:glyphs", "--transformation", "rotaton"], ["rotaton", "Did you mean 'rotation'"]),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(tokens, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(tokens) == 2
    sentence = one_sentence(capsys)
    assert all(word in sentence for word in words), sentence
    assert not list(tmp_path.rglob("run.json"))


def failing(monkeypatch, error: BaseException):
    def verb() -> None:
        raise error

    class Parser:
        config = None

        def parse_args(self, tokens, **_):
            import inspect

            return verb, inspect.signature(verb).bind(), {}

    monkeypatch.setattr(door, "application", Parser)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SettingError("tau takes less than 1; got 3."), 2, "tau takes less than 1; got 3."),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "runs/x"), 2, "runs/x: Permission denied"),
        (MemoryError(), 2, "--batch-size"),
        (KeyboardInterrupt("repeat with --out runs/x --resume"), 130, "--out runs/x --resume"),
        (KeyboardInterrupt(), 130, "--resume"),
        (ZeroDivisionError("division by zero"), 70, "--debug"),
    ],
)
def test_what_goes_wrong_has_its_exit_code(error, code, words, capsys, monkeypatch):
    failing(monkeypatch, error)
    assert main(["measure"]) == code
    assert words in one_sentence(capsys)


def test_debug_shows_where(monkeypatch):
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    with pytest.raises(ZeroDivisionError):
        main(["measure", "--debug"])


def test_a_reader_that_leaves_is_no_mistake():
    command = f"{sys.executable} -m invariscope.cli measure --help | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("Usage")


@pytest.mark.parametrize("verb", ["transformations", "measures", "studies"])
def test_a_list_is_a_table_or_one_object(verb, capsys, tmp_path):
    assert main([verb]) == 0
    table, _ = said(capsys)
    assert main([verb, "--json", "--out", str(tmp_path)]) == 0
    out, err = said(capsys)
    rows = json.loads(out)[verb]
    assert err == ""
    assert len(table.splitlines()) == 1 + len(rows)
    assert all(row["name"] in table for row in rows)
    assert json.loads((tmp_path / f"{verb}.json").read_text()) == json.loads(out)


def test_transformations_tell_magnitudes(capsys):
    assert main(["transformations", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(said(capsys)[0])["transformations"]}
    assert len(rows) == 31
    assert rows["rotation"]["span"] == "-180 to 180"
    assert rows["rotation"]["default_grid"] == sorted(rows["rotation"]["default_grid"])
    assert {-90.0, 0.0, 180.0} <= set(rows["rotation"]["default_grid"])


def test_layers_lists_sites_in_order(capsys):
    assert main(["layers", "torchvision:resnet18?num_classes=7", "--json"]) == 0
    found = json.loads(said(capsys)[0])
    sites = {site["name"]: site for site in found["sites"]}
    assert next(iter(sites)) == "conv1"
    assert list(sites)[-1] == "output"
    assert sites["layer1.0.relu#2"] == {
        "name": "layer1.0.relu#2",
        "kind": "activation",
        "operation": "ReLU",
        "shape": [64, 56, 56],
        "layout": "channels-first",
        "units": 64,
    }
    assert sites["output"]["units"] == 7
    assert found["never_called"] == []
    assert found["standardise"] is False


def test_layers_says_where_images_are_standardised(capsys):
    network = "builtin:resnet18?size=8&width=0.125&classes=2"
    assert main(["layers", network, "--json"]) == 0
    assert json.loads(said(capsys)[0])["standardise"] is True
    assert main(["layers", network]) == 0
    assert "standardised with its own mean" in "".join(said(capsys))
    assert main(["layers", f"{network}&standardise=none"]) == 0
    assert "standardised" not in "".join(said(capsys))
