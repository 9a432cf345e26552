"""The whole table of the documentation: every classification network of torchvision, every family of timm."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "taps.py"


def script() -> ModuleType:
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        found = importlib.util.spec_from_file_location("taps", SCRIPT)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules["taps"] = module
        found.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPT.parent))
    return module


TAPS = script()
NETWORKS = TAPS.networks()


def test_the_table_covers_every_family() -> None:
    import timm
    from torchvision import models

    families = {family for spec, family in NETWORKS.items() if spec.startswith("timm:")}
    assert len(families) >= 40
    assert families <= set(timm.list_modules())
    assert sum(spec.startswith("torchvision:") for spec in NETWORKS) == len(models.list_models(module=models))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", NETWORKS)
def test_every_site_equals_its_replay(spec: str) -> None:
    row = TAPS.check(spec, NETWORKS[spec])
    assert row.deviation < 1e-4
    assert row.sites > 10
