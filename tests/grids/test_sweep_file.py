"""What a sweep's file may say, and the jobs and tables that follow."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pandas as pd
import pytest

from invariscope.core.errors import InvariscopeError, RunError, SettingError
from invariscope.grids.folder import claim, complete, is_complete
from invariscope.grids.run import run_grid
from invariscope.grids.sweep import Sweep, read_sweep
from invariscope.grids.works import WORKS, Setting, Work, settings_of


@dataclass(frozen=True)
class Needs:
    x: int
    scale: float = 1.0
    name: str | None = None
    sizes: list[int] | tuple[int, ...] = ()
    fast: bool = False


class Typed(TypedDict, total=False):
    x: int
    name: str


def typed(settings: Typed, folder: Path) -> dict[str, pd.DataFrame]:
    return {"rows": pd.DataFrame({"x": [settings["x"]]})}


def product(settings, folder):
    """Two tables; one of them says x itself."""
    x, y = settings["x"], settings["y"]
    return {
        "products": pd.DataFrame({"product": [x * y * settings["scale"]]}),
        "own": pd.DataFrame({"value": [1, 2], "x": [x, x]}),
    }


@pytest.fixture(autouse=True)
def works(monkeypatch):
    """Kinds of work that only tests have."""
    len(WORKS)
    mine = {"product": Work(f"{__name__}:product"), "needs": Work(f"{__name__}:product", takes=f"{__name__}:Needs")}
    monkeypatch.setattr(WORKS, "_entries", {**WORKS._entries, **mine, "typed": Work(f"{__name__}:typed")})


def sweep_of(tmp_path: Path, text: str) -> Sweep:
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    return read_sweep(path)


PRODUCTS = 'work = "product"\n[settings]\nscale = 10\n[grid]\nx = [1, 2]\ny = [3, 4]\n'


def test_every_combination_the_last_fastest(tmp_path):
    sweep = sweep_of(tmp_path, PRODUCTS)
    assert [job.settings for job in sweep.jobs] == [{"scale": 10, "x": x, "y": y} for x in (1, 2) for y in (3, 4)]
    assert [job.label for job in sweep.jobs] == ["x=1 y=3", "x=1 y=4", "x=2 y=3", "x=2 y=4"]
    assert not any(job.gpu for job in sweep.jobs)
    assert all(job.gpu for job in sweep_of(tmp_path, f"gpu = true\n{PRODUCTS}").jobs)


def test_joined_tables_begin_with_what_varies(tmp_path):
    sweep = sweep_of(tmp_path, PRODUCTS)
    run_grid(sweep.jobs[:3], tmp_path, "serial")
    tables = sweep.tables(tmp_path)
    assert tables["products"].to_dict("list") == {"x": [1, 1, 2], "y": [3, 4, 3], "product": [30, 40, 60]}
    assert tables["own"].columns.tolist() == ["x", "y", "value"]
    assert tables["own"].x.tolist() == [1, 1, 1, 1, 2, 2]


def test_lists_as_values_are_one_cell(tmp_path):
    sweep = sweep_of(
        tmp_path, 'work = "product"\n[settings]\nx = 1\nscale = 1\n[grid]\ny = [2]\nseen = [[1, 2], [3]]\n'
    )
    run_grid(sweep.jobs, tmp_path, "serial")
    assert sweep.tables(tmp_path)["products"].seen.tolist() == ["[1, 2]", "[3]"]


def test_a_directory_is_claimed_completed_and_widened(tmp_path):
    out, sweep = tmp_path / "out", sweep_of(tmp_path, PRODUCTS)
    assert claim(out, sweep, "text") == 0
    run_grid(sweep.jobs, out, "serial")
    assert complete(out, sweep) == {"own": 8, "products": 4}
    assert pd.read_parquet(out / "products.parquet")["product"].tolist() == [30, 40, 60, 80]
    assert not is_complete(out, sweep)
    narrow = sweep_of(tmp_path, PRODUCTS.replace("[1, 2]", "[1]"))
    assert claim(out, narrow, "text") == 2
    other = sweep_of(tmp_path, 'work = "needs"\n[grid]\nx = [1]\n')
    with pytest.raises(RunError, match="holds a sweep of product, and this one is of needs; say --overwrite"):
        claim(out, other, "text")
    (out / "mine.txt").touch()
    assert claim(out, other, "text", overwrite=True) == 0
    assert sorted(path.name for path in out.iterdir()) == [".plan.json", "mine.txt", "sweep.toml"]


@pytest.mark.parametrize("content", ['{"kind": "study", "configuration": {}}', "{}", "[]", "no json"])
def test_other_directories_are_left_alone(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=r"choose another place with --out"):
        claim(tmp_path, sweep_of(tmp_path, PRODUCTS), "text", overwrite=True)
    assert (tmp_path / "run.json").read_text() == content


def test_settings_are_those_of_a_dataclass_a_function_or_a_typed_dictionary():
    assert settings_of(WORKS["needs"]) == {
        "x": Setting("x", True, (int,)),
        "scale": Setting("scale", False, (float,)),
        "name": Setting("name", False, (str,)),
        "sizes": Setting("sizes", False, (list, list)),
        "fast": Setting("fast", False, (bool,)),
    }
    assert settings_of(WORKS["typed"]) == {"x": Setting("x", False, (int,)), "name": Setting("name", False, (str,))}
    assert settings_of(WORKS["product"]) is None


def test_good_values(tmp_path):
    text = 'work = "needs"\n[settings]\nscale = 1\nname = "a"\nsizes = [1]\nfast = true\n[grid]\nx = [1, 2]\n'
    assert len(sweep_of(tmp_path, text).jobs) == 2


GRID = "[grid]\nx = [1]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("work = ", ["is not TOML"]),
        (GRID, ["work must be a work", "nothing"]),
        (f"work = 3\n{GRID}", ["work must be a work", "got 3"]),
        (f'work = "prodakt"\n{GRID}', ["no work is called 'prodakt'", "Did you mean 'product'"]),
        (f'work = "no_such_module:f"\n{GRID}', ["no module 'no_such_module'"]),
        (f'work = "math:squareroot"\n{GRID}', ["no function 'squareroot'"]),
        (f'work = "product"\nseting = 1\n{GRID}', ["no entry is called 'seting'", "Did you mean 'settings'"]),
        (f'work = "product"\nsettings = 1\n{GRID}', ["settings must be a table", "got 1"]),
        (f'work = "product"\ngpu = 1\n{GRID}', ["gpu must be true or false; got 1"]),
        ('work = "product"\n', ["grid must be a table of lists", "nothing"]),
        ('work = "product"\n[grid]\n', ["[grid] must list"]),
        ('work = "product"\n[grid]\nx = []\n', ["x under [grid]", "at least one value; got []"]),
        ('work = "product"\n[grid]\nx = 3\n', ["x under [grid] must be a list", "got 3"]),
        ('work = "product"\n[grid]\nx = [3, 3]\n', ["x under [grid] has a value twice"]),
        (f'work = "product"\n[settings]\nx = 2\n{GRID}', ["x stands under [settings] and under [grid]"]),
        ('work = "product"\n[grid]\nx = [2026-01-01]\n', ["settings of a job are text, numbers"]),
        ('work = "product"\n[grid]\nx = [nan]\n', ["settings of a job are text, numbers"]),
        (f'work = "needs"\n[settings]\nscal = 2\n{GRID}', ["no setting is called 'scal'", "Did you mean 'scale'"]),
        ('work = "needs"\n[grid]\nscale = [1]\n', ["the setting x is missing"]),
        ('work = "needs"\n[grid]\nx = [1, "two"]\n', ["the setting x is a whole number; got 'two'"]),
        ('work = "needs"\n[grid]\nx = [1.5]\n', ["the setting x is a whole number; got 1.5"]),
        ('work = "needs"\n[grid]\nx = [true]\n', ["the setting x is a whole number; got True"]),
        (f'work = "needs"\n[settings]\nname = 1\n{GRID}', ["the setting name is text; got 1"]),
        ('work = "typed"\n[grid]\nnames = ["a"]\n', ["no setting is called 'names'", "Did you mean 'name'"]),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_file(tmp_path, text, words):
    with pytest.raises(InvariscopeError) as raised:
        sweep_of(tmp_path, text)
    sentence = str(raised.value)
    assert "sweep.toml" in sentence
    assert "\n" not in sentence
    assert all(word in sentence for word in words), sentence


def test_no_file(tmp_path):
    with pytest.raises(SettingError, match="cannot be read: No such file"):
        read_sweep(tmp_path / "nowhere.toml")
