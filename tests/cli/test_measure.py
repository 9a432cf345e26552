"""The main job from the command line: what it prints, what it leaves, and what it says about bad input."""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from invariscope.cli.main import main
from invariscope.core.progress import Silent

NET = "net.py:halves"
FLIPS = ["--transformations", "horizontal-flip,vertical-flip", "--device", "cpu", "--replicates", "20"]


def test_the_answer_as_an_object(world, capsys):
    assert main(["measure", "net.py:talking", "images", *FLIPS, "--out", "run", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert set(found) == {
        *("run", "report", "clean_accuracy", "n_images", "n_skipped", "verdicts", "thresholds", "layers"),
        *("warnings", "seconds"),
    }
    assert (found["run"], found["report"]) == ("run", "run/report.html")
    assert (found["clean_accuracy"], found["n_images"], found["n_skipped"]) == (1.0, 12, 0)
    assert (world / "run" / "report.html").stat().st_size > 10_000
    assert "the network is made" in err
    assert "the code in net.py was run" in err
    tolerated = {row["transformation"]: row["tolerated"] for row in found["verdicts"]}
    assert tolerated == {"horizontal-flip": False, "vertical-flip": True}
    units = pd.read_parquet("run/units.parquet").query("layer == 'relu' and magnitude == 1")
    upright = units[units.transformation == "vertical-flip"].invariance
    np.testing.assert_allclose(upright, 1, atol=1e-6)
    assert (units[units.transformation == "horizontal-flip"].invariance < 0.9).all()


def test_the_answer_for_people_names_the_report(world, capsys):
    assert main(["measure", NET, "images", *FLIPS, "--out", "run"]) == 0
    out, _ = capsys.readouterr()
    assert "clean accuracy 100.0" in out
    assert "Vertical flip" in out
    assert "Report: run/report.html" in out


def test_quiet_prints_the_place_alone(world, capsys):
    assert main(["measure", NET, "images", *FLIPS, "--out", "run", "--quiet"]) == 0
    assert capsys.readouterr() == ("run/report.html\n", "")


def test_a_run_without_a_name_lies_in_runs(world, capsys):
    assert main(["measure", NET, "images", *FLIPS, "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("runs/measure-")


def test_its_configuration_asks_for_the_same_run(world, capsys):
    asked = ["measure", NET, "images", *FLIPS, "--magnitudes", "vertical-flip=0,1", "--tau", "0.2", "--limit", "8"]
    assert main([*asked, "--out", "one", "--quiet"]) == 0
    kept = tomllib.loads((world / "one" / "configuration.toml").read_text())
    assert (kept["tau"], kept["limit"], kept["transformations"]) == (0.2, 8, ["horizontal-flip", "vertical-flip"])
    assert main(["measure", "--config", "one/configuration.toml", "--out", "two", "--quiet"]) == 0
    for table in ("units", "verdicts", "curves", "thresholds", "layers"):
        assert (world / "one" / f"{table}.parquet").read_bytes() == (world / "two" / f"{table}.parquet").read_bytes()
    assert main(["measure", "--config", "one/configuration.toml", "--tau", "0.3", "--out", "three", "--quiet"]) == 0
    assert json.loads((world / "three" / "run.json").read_text())["configuration"]["tau"] == 0.3


def test_a_directory_with_another_run_is_kept(world, capsys):
    asked = ["measure", NET, "images", *FLIPS, "--out", "run", "--quiet"]
    assert main(asked) == 0
    before = (world / "run" / "run.json").read_bytes()
    assert main(asked) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*asked, "--resume", "--tau", "0.3"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*asked, "--resume"]) == 0
    assert (world / "run" / "run.json").read_bytes() == before
    assert main([*asked, "--overwrite", "--tau", "0.3"]) == 0
    assert (world / "run" / "run.json").read_bytes() != before


def test_an_interrupted_run_is_continued(world, capsys, monkeypatch):
    asked = ["measure", NET, "images", *FLIPS, "--quiet"]
    assert main([*asked, "--out", "whole"]) == 0
    seen = []

    def stop(self, steps=1):
        seen.append(steps)
        if sum(seen) > 30:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Silent, "advance", stop)
        assert main([*asked, "--out", "cut"]) == 130
    assert "--out cut --resume" in capsys.readouterr().err
    assert not (world / "cut" / "run.json").exists()
    assert list((world / "cut" / ".parts").glob("horizontal-flip*"))
    assert main([*asked, "--out", "cut", "--resume"]) == 0
    for table in ("units", "verdicts", "curves", "thresholds", "layers", "predictions", "softmax"):
        assert (world / "cut" / f"{table}.parquet").read_bytes() == (world / "whole" / f"{table}.parquet").read_bytes()


def test_unreadable_images_are_skipped_and_counted_or_refused(world, capsys):
    broken = world / "images" / "left" / "0.png"
    broken.write_bytes(broken.read_bytes()[:200])
    assert main(["measure", NET, "images", *FLIPS, "--out", "run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_images"], found["n_skipped"]) == (11, 1)
    assert main(["measure", NET, "images", *FLIPS, "--out", "two", "--strict"]) == 2
    assert "left/0.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": "net.py:nothing"}, ["nothing", "halves"]),
        ({"network": "net.py:failing"}, ["no such thing"]),
        ({"network": "net.py:broken"}, ["NaN"]),
        ({"network": "weights.pth"}, ["weights.pth"]),
        ({"network": "builtin:cifar-resnet20?weights=images"}, ["images"]),
        ({"images": "nowhere"}, ["nowhere"]),
        ({"images": "empty"}, ["empty", "no images"]),
        ({"images": "hollow"}, ["hollow/right", "no images"]),
        ({"images": "mixed"}, ["size"]),
        ({"--transformations": "rotaton"}, ["rotaton", "Did you mean 'rotation'"]),
        ({"--magnitudes": "vertical-flip=3"}, ["vertical-flip", "0 to 1", "3"]),
        ({"--layers": "rely"}, ["rely", "Did you mean 'relu'"]),
        ({"--units": "positions"}, ["positions", "layers"]),
        ({"--classes": "one.txt"}, ["1 class name", "2 outputs"]),
        ({"--group-classes": "one.txt"}, ["cow", "left"]),
        ({"--group-classes": "nowhere.txt"}, ["nowhere.txt"]),
        ({"--tau": "1.5"}, ["tau", "1.5"]),
        ({"--limit": "0"}, ["limit", "0"]),
        ({"--memory": "lots"}, ["memory", "lots"]),
        ({"--device": "cuda:9"}, ["cuda:9"]),
        ({"--device": "gpu"}, ["gpu"]),
        ({"--out": "net.py"}, ["net.py", "--out"]),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_bad_input_is_one_sentence(world, capsys, changes, words):
    (world / "empty").mkdir()
    (world / "hollow" / "right").mkdir(parents=True)
    (world / "one.txt").write_text("cow\n")
    for folder, size in (("hollow/left", (16, 16)), ("mixed/left", (16, 16)), ("mixed/right", (16, 12))):
        (world / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(world / folder / "0.png")
    options = {"--out": "run", "--transformations": "vertical-flip", "--device": "cpu"} | {
        name: value for name, value in changes.items() if name.startswith("--")
    }
    asked = ["measure", changes.get("network", NET), changes.get("images", "images")]
    assert main([*asked, *(token for pair in options.items() for token in pair)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    sentences = [line for line in err.splitlines() if line.startswith("invariscope: ")]
    assert len(sentences) == 1
    assert "Traceback" not in err
    assert all(word in sentences[0] for word in words), sentences[0]
    assert not (world / "run" / "run.json").exists()
