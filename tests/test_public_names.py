"""What people may rely on: the public names, a summary for each registered thing, examples that run."""

import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import invariscope

HOUSE = Path(invariscope.__file__).parent
MODULES = sorted(
    "invariscope." + ".".join(path.relative_to(HOUSE).with_suffix("").parts)
    for path in HOUSE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)
REGISTRIES = {
    "transformation": ("invariscope.transformations.base", "TRANSFORMATIONS"),
    "measure": ("invariscope.measures.base", "MEASURES"),
}
HEAVY = ("torch", "torchvision", "timm", "numpy", "pandas", "scipy", "sklearn", "matplotlib", "pyarrow", "PIL")


def registered() -> list[tuple[str, str, object]]:
    found = []
    for kind, (module, attribute) in REGISTRIES.items():
        registry = getattr(import_module(module), attribute)
        found += [(kind, name, registry[name]) for name in registry]
    return found


@pytest.mark.parametrize(
    ("kind", "name", "entry"), registered(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_registered_thing_says_itself_in_one_line(kind, name, entry):
    summary, *rest = (entry.__doc__ or "").strip().splitlines()
    assert summary.endswith("."), f"the {kind} {name}: the first line of its docstring is one sentence: {summary!r}"
    assert not rest or not rest[0].strip()
    assert name == name.lower()


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    outcome = doctest.testmod(import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert outcome.failed == 0


@pytest.mark.parametrize(
    "code",
    ["import invariscope", "from invariscope.cli.main import main; main(['--help'])"],
    ids=["import", "help"],
)
def test_starting_loads_nothing_heavy(code):
    script = f"import sys; {code}; print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_public_names_are_the_inventory():
    inventory = (Path(__file__).parent / "public_names.txt").read_text().split()
    assert sorted(invariscope.__all__) == inventory


def test_every_public_name_is_there_and_documented():
    for name in invariscope.__all__:
        thing = getattr(invariscope, name)
        assert isinstance(thing, str) or (thing.__doc__ or "").strip(), name
    assert set(invariscope.__all__) <= set(dir(invariscope))


def test_an_unknown_public_name_is_an_attribute_error_with_the_nearest_one():
    with pytest.raises(AttributeError, match="Did you mean 'load_network'"):
        _ = invariscope.load_netwrk
