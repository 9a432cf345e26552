"""The command sweep, as a person types it, and what is shown while it runs."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from invariscope.cli.live import Lines, picture
from invariscope.cli.main import main
from invariscope.cli.tally import Tally
from invariscope.grids.job import Job
from invariscope.grids.watch import Watcher

WORK = """
from pathlib import Path

import pandas as pd


def area(settings, folder):
    print("this is printed by the work")
    if settings["height"] == 13 and not Path("lucky").exists():
        raise ValueError("13 brings bad luck")
    return {"areas": pd.DataFrame({"area": [settings["width"] * settings["height"]]})}
"""
FILE = 'work = "room:area"\n[settings]\nunit = "m"\n[grid]\nwidth = [2, 3]\nheight = [4, 5]\n'


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "room", raising=False)
    (tmp_path / "room.py").write_text(WORK)
    (tmp_path / "areas.toml").write_text(FILE)
    return tmp_path


def sweep(*tokens: str) -> int:
    return main(["sweep", "areas.toml", "--engine", "serial", *tokens])


def test_a_sweep_and_its_directory(room, capsys):
    assert sweep("--out", "out") == 0
    out, err = capsys.readouterr()
    assert "4 jobs are finished." in out
    assert "areas.parquet: 4 rows" in out
    assert "note: this runs your own code, room:area." in err
    assert "4 of 4 jobs done" in err
    table = pd.read_parquet("out/areas.parquet")
    assert table.to_dict("list") == {"width": [2, 2, 3, 3], "height": [4, 5, 4, 5], "area": [8, 10, 12, 15]}
    info = json.loads(Path("out/run.json").read_text())
    assert (info["kind"], info["jobs"], info["tables"], info["engine"]) == ("sweep", 4, {"areas": 4}, "serial")
    assert info["configuration"]["grid"] == {"width": [2, 3], "height": [4, 5]}
    assert info["command"].startswith("invariscope sweep areas.toml")
    assert Path("out/sweep.toml").read_text() == FILE
    names = ["areas.parquet", "jobs", "log", "run.json", "sweep.toml"]
    assert sorted(path.name for path in Path("out").iterdir()) == names


def test_again_computes_nothing_and_more_values_only_what_is_missing(room, capsys):
    assert sweep("--out", "out", "--quiet") == 0
    assert capsys.readouterr().out == "out\n"
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.json")}
    assert sweep("--out", "out") == 0
    assert "4 of them finished before" in capsys.readouterr().out
    after = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.json")}
    assert after == before
    Path("areas.toml").write_text(FILE.replace("[4, 5]", "[4, 6]"))
    assert sweep("--out", "out", "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["done"], told["found"], told["jobs"]) == (2, 2, 4)
    assert "2 finished jobs in out belong to other settings" in err
    assert pd.read_parquet("out/areas.parquet").height.tolist() == [4, 6, 4, 6]


def test_dry_run_lists_the_jobs_and_does_nothing(room, capsys):
    assert sweep("--dry-run", "--out", "out") == 0
    out, _ = capsys.readouterr()
    assert "width=3 height=5" in out
    assert "4 jobs." in out
    assert not Path("out").exists()
    Path("areas.toml").write_text(FILE.replace("[2, 3]", "[2]"))
    sweep("--out", "out")
    Path("areas.toml").write_text(FILE)
    capsys.readouterr()
    assert sweep("--dry-run", "--out", "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["finished"] == 2
    assert [job["finished"] for job in told["jobs"]] == [True, True, False, False]


def test_a_failing_job_is_one_sentence_after_all_others(room, capsys):
    Path("areas.toml").write_text(FILE.replace("[4, 5]", "[13, 5]"))
    assert sweep("--out", "out", "--retries", "1", "--quiet") == 2
    _, err = capsys.readouterr()
    assert err.splitlines()[-1].startswith(
        "invariscope: 2 of 4 jobs failed; the first is width=2 height=13, tried 2 times: ValueError: 13 brings bad luck"
    )
    file = Path(re.search(r"More in (\S+\.txt)\.", err).group(1))
    assert "in area" in file.read_text()
    assert not Path("out/run.json").exists()
    assert pd.read_parquet("out/areas.parquet").height.tolist() == [5, 5]
    Path("lucky").touch()
    assert sweep("--out", "out", "--quiet") == 0
    assert not list(Path("out/failures").iterdir())
    assert Path("out/run.json").exists()
    assert not Path("out/.plan.json").exists()


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["--engine", "processos:2"], ["processos", "Did you mean 'processes'"]),
        (["--engine", "slurm:jobs=1"], ["no sbatch", "0 of 4 jobs are finished"]),
        (["--retries", "-1"], ["0 or more; got -1"]),
        (["--seed", "3"], ["settings of its work"]),
        (["--device", "cpu"], ["settings of its work"]),
        (["--resume"], ["--out"]),
    ],
)
def test_mistakes(room, capsys, tokens, words):
    assert main(["sweep", "areas.toml", *tokens]) == 2
    _, err = capsys.readouterr()
    last = err.strip().splitlines()[-1]
    assert last.startswith("invariscope: ")
    assert all(word in last for word in words), last


def test_a_made_up_folder_is_named_when_something_goes_wrong(room, capsys):
    assert main(["sweep", "areas.toml", "--engine", "slurm:jobs=1"]) == 2
    _, err = capsys.readouterr()
    assert re.search(r"repeat the command with --out runs/sweep-\d+-\d+ to go on\.", err)


def test_the_page_on_grids_tells_the_truth(room, capsys):
    text = (Path(__file__).parents[2] / "docs" / "grids.md").read_text(encoding="utf-8")
    file = re.search(r"```toml\n# (\S+)\n(.*?)```", text, flags=re.DOTALL)
    code = re.search(r"```python\n# (\S+)\n(.*?)```", text, flags=re.DOTALL)
    Path(file[1]).write_text(file[2])
    Path(code[1]).write_text(code[2])
    assert main(["sweep", file[1], "--engine", "serial", "--out", "out"]) == 0
    assert "6 jobs are finished." in capsys.readouterr().out
    assert pd.read_parquet("out/results.parquet").columns.tolist() == ["transformation", "seed", "accuracy"]


@pytest.mark.slow
def test_an_interrupted_sweep_says_how_to_go_on(room):
    Path("room.py").write_text(WORK.replace('print("this is', 'import time; time.sleep(1); print("this is'))
    command = [sys.executable, "-m", "invariscope.cli", "sweep", "areas.toml", "--out", "out"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(Path("out/jobs").glob("*/job.json")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == (
        "invariscope: interrupted; what is finished is kept in out; repeat the command with --out out to go on."
    )
    assert "Traceback" not in err
    assert sweep("--out", "out", "--quiet") == 0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def jobs(count: int) -> list[Job]:
    return [Job("room:area", {"x": x}, f"job {x}") for x in range(count)]


def half_way() -> tuple[Tally, Clock]:
    """10 trainings of which 2 were found; in 60 s, 2 were done, 1 failed, and 1 of 2 running ones is half done."""
    clock = Clock()
    tally, (first, second, third, fourth, fifth) = Tally(clock), jobs(5)
    tally.start("trainings", 10)
    tally.found(2)
    tally.advance(2)
    for job in (first, second, third, fourth, fifth):
        tally.started(job)
    for job in (first, second):
        tally.finished(job, 20.0)
        tally.advance()
    tally.failed(third, "ValueError: no", False)
    tally.stepped(fourth, 5, 10)
    clock.now = 60.0
    return tally, clock


def test_numbers_by_hand():
    tally, _ = half_way()
    assert isinstance(tally, Watcher)
    assert tally.worth == 2.5
    assert tally.rate == pytest.approx(2.5 / 60)
    # 10 - 2 found - 1 failed - 2.5 = 4.5 jobs are left, at 24 s each.
    assert tally.left == pytest.approx(108)
    assert tally.line() == "4 of 10 trainings done (2 found), 1 failed, 2 running, 2.5/min, about 1 min 48 s left"


def test_the_picture_has_all_of_it():
    tally, _ = half_way()
    tally.note("2 Dask workers are there.")
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    console.print(picture(tally))
    text = console.file.getvalue()
    for words in (
        "4/10 trainings",
        "2 running",
        "2 found",
        "1 failed",
        "2.5/min",
        "1 min 00 s elapsed",
        "1 min 48 s left",
    ):
        assert words in text
    assert re.search(r"job 3 +1 min 00 s", text)
    assert "last failure: job 2: ValueError: no" in text
    assert "2 Dask workers are there." in text


def test_many_running_jobs_are_counted():
    tally = Tally()
    tally.start("jobs", 40)
    for job in jobs(40):
        tally.started(job)
    console = Console(file=io.StringIO(), width=100)
    console.print(picture(tally))
    assert "… and 28 more" in console.file.getvalue()


def test_lines_in_a_log_are_few():
    clock, told = Clock(), []
    lines = Lines(told.append, every=30)
    lines.clock = clock
    lines.start("jobs", 100)
    for job in jobs(100):
        lines.started(job)
        clock.now += 1
        lines.finished(job, 1.0)
        lines.advance()
    lines.end()
    assert told[0] == "1 of 100 jobs done, 1/s, about 1 min 39 s left"
    assert told[-1] == "100 of 100 jobs done"
    assert len(told) == 5


def test_a_terminal_shows_a_table(room):
    main_end, its_end = pty.openpty()
    command = [sys.executable, "-m", "invariscope.cli", "sweep", "areas.toml", "--engine", "serial", "--out", "out"]
    process = subprocess.Popen(command, stderr=its_end, stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm"})
    os.close(its_end)
    shown = b""
    while True:
        try:
            piece = os.read(main_end, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait() == 0
    process.stdout.close()
    os.close(main_end)
    assert b"4 of 4 jobs done" in shown
    assert b"elapsed" in shown
