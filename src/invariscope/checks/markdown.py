"""A check as Markdown, for the summary page of a job or a comment on a change."""

from collections.abc import Mapping, Sequence
from typing import Any

from invariscope.checks.wording import tally
from invariscope.core.words import count, tidy

_SIGNS = {"passes": "✅ passes", "fails": "❌ fails", "undecided": "❔ undecided"}
_ANSWERS = {"passes": "✅ The contract is kept", "fails": "❌ The contract is broken", "undecided": "❔ Undecided"}


def markdown(check: Mapping[str, Any]) -> str:
    """A heading with the answer, a line of what was checked, and a table with a row per part of a requirement.

    Args:
        check: the content of check.json.

    Returns:
        The text of the file.
    """
    listed: Sequence[Mapping[str, Any]] = check["requirements"]
    numbers = check["counts"]
    answer = _ANSWERS["passes" if check["kept"] and check["verdict"] != "passes" else check["verdict"]]
    lines = [
        f"## {answer}: {tally(numbers)}",
        "",
        f"{_cell(check['title'])} · {count(check['n_images'], 'image')}"
        + (f" · clean accuracy {100 * check['clean_accuracy']:.1f} %" if check["clean_accuracy"] is not None else ""),
        "",
        "| | requirement | where | found [95 %] | required | images |",
        "|---|---|---|---|---|---|",
    ]
    for entry in listed:
        for place, part in enumerate(entry["parts"]):
            title = f"{entry['requirement']}. {entry['text']}" if place == 0 else ""
            found = part["found_text"] + (f"<br>{part['advice']}" if part["advice"] else "")
            cells = [_SIGNS[part["verdict"]], title, part["label"], found, part["required_text"], f"{part['n']:,}"]
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    if check["warnings"]:
        lines += ["", *(f"- {_cell(warning)}" for warning in check["warnings"])]
    if numbers["undecided"]:
        allowed = "allowed here" if check["allow_undecided"] else "not enough to keep the contract"
        lines += ["", f"Undecided: the 95 % interval holds what is required; {allowed}."]
    return "\n".join(lines) + "\n"


def _cell(text: object) -> str:
    r"""Text from outside that cannot end its cell, or begin markup.

    Example:
        >>> _cell("a|b*c"), _cell("61 %<br>about 90 images")
        ('a\\|b\\*c', '61 %<br>about 90 images')
    """
    kept = tidy(text)
    for letter in "\\`*_[]|#~":
        kept = kept.replace(letter, f"\\{letter}")
    return kept.replace("<", "&lt;").replace("&lt;br>", "<br>")
