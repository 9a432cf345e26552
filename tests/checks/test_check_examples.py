"""The page on contracts, its contract and its workflow: what they show can be done."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from check_world import dark

from invariscope.checks.contract import as_toml
from invariscope.checks.read import parse_contract, read_contract
from invariscope.checks.terms import find_terms
from invariscope.checks.write import FILES
from invariscope.cli.main import application, main

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "check.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}invariscope (.+)$", PAGE, flags=re.MULTILINE)


def test_the_example_contract_is_one():
    contract = read_contract(DOCS / "examples" / "contract.toml")
    assert [term.requirement.is_threshold for term in find_terms(contract, (8, 8))] == [False, False, True, False]
    assert contract.check["images"] == "builtin:digits"
    again = parse_contract(tomllib.loads(as_toml(contract)))
    assert again.requirements == contract.requirements or repr(again.requirements) == repr(contract.requirements)


def test_every_table_on_the_page_is_a_contract():
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        assert len(find_terms(parse_contract(tomllib.loads(block)), (32, 32))) == 2


def test_the_page_tells_every_key():
    from invariscope.checks import read

    for key in {*read._KEYS, *read._CHECK, *read._TOP, *FILES[:-2]}:
        assert f"`{key}`" in PAGE or f"[{key}]" in PAGE or f"`[{key}]`" in PAGE or key == "require", key


def test_every_command_on_the_page_can_be_parsed():
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        application().parse_args(shlex.split(command), exit_on_error=False, print_error=False)


def test_the_workflow_is_one_and_its_command_too():
    workflow = yaml.safe_load((DOCS / "examples" / "invariance.yml").read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    assert set(workflow) == {"name", True, "permissions", "jobs"}
    [job] = workflow["jobs"].values()
    steps = {step["name"]: step for step in job["steps"] if "name" in step}
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    command = shlex.split(steps["Check"]["run"])
    assert command[:2] == ["invariscope", "check"]
    application().parse_args(command[1:], exit_on_error=False, print_error=False)
    out = command[command.index("--out") + 1]
    shown = [Path(line) for line in steps["Report"]["with"]["path"].split()]
    assert {path.parent.name for path in shown} == {out}
    assert {path.name for path in shown} <= {*FILES, "report.html"}
    assert "check.md" in steps["Summary"]["run"]


def test_the_python_on_the_page_runs(capsys):
    code = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[-1]
    pool = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(1, 2))
    exec(code, {"module": pool, "images": dark()})
    assert "required" in capsys.readouterr().out


@pytest.mark.slow
def test_what_the_page_lets_a_reader_try(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(DOCS)
    train, check = PAGE.partition("## Try it")[2].partition("## Write")[0].split("\n    invariscope ")[1:3]
    assert main(shlex.split(train)) == 0
    [network] = Path("runs/digits/networks").glob("*.safetensors")
    asked = [str(network) if "*" in word else word for word in shlex.split(check.splitlines()[0])]
    assert main(asked) == 1
    out = capsys.readouterr().out
    assert "3 of 4 requirements pass, 1 undecided" in out
