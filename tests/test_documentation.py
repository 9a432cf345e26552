"""The pages: links that lead somewhere, examples that run, a reference that is current."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from invariscope.cli.main import VERBS
from invariscope.transformations.base import TRANSFORMATIONS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        there = page if not name else (page.parent / name).resolve()
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_shown_exist(page):
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"(?:^ {4}|`)(?:invariscope|\./run) ([a-z]+)", text, flags=re.MULTILINE)
    assert set(shown) <= {*VERBS, "test", "lint"}


def test_the_transformation_of_the_contributing_page_works():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    room: dict[str, object] = {"__name__": "solarize"}
    try:
        exec(code, room)
        solarize = TRANSFORMATIONS["solarize"]()
        image = torch.tensor([0.2, 0.75, 1.0]).reshape(1, 1, 1, 3)
        torch.testing.assert_close(solarize(image, 0.5), torch.tensor([0.2, 0.25, 0.0]).reshape(1, 1, 1, 3))
        assert torch.equal(solarize(image, 1.0), image)
    finally:
        TRANSFORMATIONS._entries.pop("solarize", None)


def test_the_reference_is_current():
    # In a process of its own: here the shape checker has wrapped what the page describes.
    command = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
