"""What every test may use."""

import os
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).parents[1]
# Real images and weights for development; a newcomer does not have them, and those tests then skip.
SHARED_DATA = Path(os.environ.get("INVARISCOPE_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data, or a skip that says what is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip("development data (real images and weights) is not beside this checkout")
    return SHARED_DATA
