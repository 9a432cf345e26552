"""The house, held by tests: floors, small files, one-way imports, what a newcomer's file must bring."""

import ast
import io
import re
import sys
import tokenize
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "src" / "invariscope"
FLOOR = {
    "core": 0,
    "grids": 1,
    "transformations": 1,
    "networks": 1,
    "statistics": 1,
    "images": 2,
    "responses": 3,
    "measures": 4,
    "tolerance": 4,
    "training": 4,
    "learned": 4,
    "runs": 5,
    "findings": 6,
    "studies": 7,
    "checks": 7,
    "report": 8,
    "cli": 9,
}
MODULES = sorted(path for path in HOUSE.rglob("*.py") if path.parent != HOUSE)
# Names on the package registry that differ from the name that is imported.
IMPORTED_AS = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "huggingface-hub": "huggingface_hub",
    "dask-jobqueue": "dask_jobqueue",
}


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0]


def imports(tree: ast.AST) -> list[str]:
    """Every module that is imported anywhere in the file, functions included."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            found.append(str(node.module))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "find_spec":
            found += [ast.literal_eval(argument) for argument in node.args]
    return found


def own(names: list[str]) -> list[list[str]]:
    return [name.split(".") for name in names if name.split(".")[0] == "invariscope"]


def test_every_room_has_a_floor():
    rooms = {path.name for path in HOUSE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_only_come_from_below(path):
    room = room_of(path)
    for parts in own(imports(ast.parse(path.read_text()))):
        if parts == ["invariscope"]:
            continue  # for its version only: the root loads nothing
        assert len(parts) >= 3, f"import from a module, not from the package root {'.'.join(parts)}"
        assert parts[1] == room or FLOOR[parts[1]] < FLOOR[room], (
            f"{room} is on floor {FLOOR[room]} and may not import from {parts[1]} on floor {FLOOR[parts[1]]}"
        )


def test_no_import_goes_in_a_circle():
    graph = {}
    for path in MODULES:
        top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        dotted = ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts)
        graph[dotted] = {".".join(parts) for parts in own(imports(ast.Module(body=list(top), type_ignores=[])))}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "path",
    [path for folder in ("src", "tests", "scripts", "benchmarks") for path in (ROOT / folder).rglob("*.py")],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_files_are_small(path):
    assert len(path.read_text().splitlines()) <= 300


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of)
def test_a_room_opens_with_one_sentence_and_nothing_else(path):
    body = ast.parse(path.read_text()).body
    assert len(body) == 1
    sentence = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_comments_are_rare():
    comments = lines = 0
    for path in MODULES:
        text = path.read_text()
        lines += len(text.splitlines())
        comments += sum(
            token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(text).readline)
        )
    assert comments < 0.08 * lines


def test_what_is_imported_is_what_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["dist"]
    lines += project["optional-dependencies"]["pytest"]
    declared = {re.split(r"[><=~! ]", line)[0] for line in lines}
    used = set()
    for path in MODULES:
        used |= {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
    used -= set(sys.stdlib_module_names) | {"invariscope"}
    assert {IMPORTED_AS.get(name, name) for name in declared} == used


def test_the_pinned_requirements_begin_with_the_declared_ones():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = (ROOT / "requirements" / "runtime.in").read_text().splitlines()
    development = (ROOT / "requirements" / "development.in").read_text().splitlines()
    assert set(declared["dependencies"]) <= set(runtime)
    assert set(declared["optional-dependencies"]["dev"]) <= set(development)
    assert set(declared["optional-dependencies"]["dist"]) <= set(development)


@pytest.mark.parametrize("name", ["runtime", "development", "uv"])
def test_pins_have_hashes_and_no_addresses(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    packages = re.findall(r"^[a-z0-9][^\n=]*==", text, flags=re.MULTILINE)
    assert packages
    assert len(re.findall(r"== *[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", text)) == len(packages)
    assert "://" not in text
    assert "index" not in text


def files_of_the_project() -> list[Path]:
    named = [
        ROOT / name for name in ("run", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "NOTICE", "pyproject.toml")
    ]
    for folder in ("src", "tests", "docs", "scripts", "benchmarks", "requirements", ".ci"):
        named += [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return [path for path in named if path.suffix in {"", ".py", ".md", ".txt", ".in", ".toml", ".html", ".css", ".js"}]


# Written in pieces, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a machine's path": r"(?<![\w.])/(work|root|home)/\w",
    "a registry's address": r"py" + r"pi\.org|python" + r"hosted|npm" + r"js\.org|debian" + r"\.org",
    "unfinished work": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|Not" + r"ImplementedError",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_holds(what):
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files_of_the_project()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_shapes_in_signatures_are_checked():
    import torch

    from invariscope.core.seeds import uniform

    with pytest.raises(TypeError, match="seeds"):
        uniform(torch.ones(2), (2,))
