"""A check as JUnit XML, which servers of continuous integration read."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from invariscope.core.words import tidy


def junit(
    entries: Sequence[Mapping[str, Any]],
    *,
    name: str,
    began: str,
    seconds: Sequence[float],
    allow_undecided: bool = False,
    properties: Mapping[str, object] | None = None,
) -> str:
    """One test case per requirement: a failure where it fails, an error (or, if allowed, a skip) where undecided.

    Args:
        entries: of check.json.
        name: of the suite.
        began: when, as in "2026-01-31T12:00:00+00:00".
        seconds: what each requirement took.
        allow_undecided: what is undecided is skipped, and no error.
        properties: what else the suite says.

    Returns:
        The text of the file.

    Example:
        >>> entry = {"requirement": 1, "text": "hue", "verdict": "passes", "transformation": "hue", "parts": []}
        >>> text = junit([entry], name="net", began="2026-01-31T12:00:00+00:00", seconds=[0.5])
        >>> ElementTree.fromstring(text).find("testsuite/testcase").get("name")
        '1. hue'
    """
    unsure = "skipped" if allow_undecided else "error"
    kinds = {"fails": "failure", "undecided": unsure}
    told = [kinds.get(entry["verdict"], "") for entry in entries]
    numbers = {
        "tests": str(len(entries)),
        "failures": str(told.count("failure")),
        "errors": str(told.count("error")),
        "skipped": str(told.count("skipped")),
        "time": f"{sum(seconds):.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": "invariscope check", **numbers})
    about = {"name": tidy(name), **numbers, "timestamp": began[:19], "hostname": "localhost"}
    suite = ElementTree.SubElement(root, "testsuite", about)
    if properties:
        listed = ElementTree.SubElement(suite, "properties")
        for key, value in properties.items():
            ElementTree.SubElement(listed, "property", name=key, value=tidy(value))
    for entry, kind, took in zip(entries, told, seconds, strict=True):
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"invariscope.{tidy(entry['transformation'])}",
            name=tidy(f"{entry['requirement']}. {entry['text']}"),
            time=f"{took:.3f}",
        )
        if kind:
            message = _sentence(entry)
            # The readers' schema knows no type and no text of what is skipped.
            more = {} if kind == "skipped" else {"type": str(entry["verdict"])}
            problem = ElementTree.SubElement(case, kind, {"message": message, **more})
            problem.text = None if kind == "skipped" else _details(entry)
        if kind in ("", "skipped"):
            ElementTree.SubElement(case, "system-out").text = _details(entry)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _sentence(entry: Mapping[str, Any]) -> str:
    advice = f"; {entry['advice']}" if entry["advice"] else ""
    found = entry["found_text"]
    return tidy(f"{entry['verdict']}: {entry['deciding']} is {found}, required {entry['required_text']}{advice}")


def _details(entry: Mapping[str, Any]) -> str:
    lines = [
        f"{part['verdict']}: {part['label']}: {part['quality']} {part['found_text']} on {part['n']} images"
        + (f"; {part['advice']}" if part["advice"] else "")
        for part in entry["parts"]
    ]
    return "\n".join(tidy(line) for line in lines)
