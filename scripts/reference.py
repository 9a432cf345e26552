"""Writes docs/reference.md from the docstrings of the public names; `--check` says whether it is current."""

import inspect
import re
import sys
from pathlib import Path

import invariscope
from invariscope.measures.base import MEASURES
from invariscope.transformations.base import TRANSFORMATIONS

TARGET = Path(__file__).parents[1] / "docs" / "reference.md"
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example", "Source")
OPENING = """# Reference

Made from the docstrings by `scripts/reference.py`. `import invariscope as inv`; every name below is `inv.NAME`.
Numbers are explained in [decisions.md](decisions.md). `inv.TRANSFORMATIONS` and `inv.MEASURES` are the registries:
mappings from name to class.
"""


def reference() -> str:
    """The whole page."""
    kinds = [TRANSFORMATIONS[name] for name in TRANSFORMATIONS]
    public = [name for name in invariscope.__all__ if not name.startswith("_")]
    names = [name for name in public if not name.isupper() and getattr(invariscope, name) not in kinds]
    parts = [OPENING, "## Calls and types\n"]
    parts += [entry(name, getattr(invariscope, name)) for name in names]
    parts.append("## Transformations\n")
    parts.append("| name | magnitude | identity | span | default grid |\n|---|---|---|---|---|")
    parts += [row(name) for name in TRANSFORMATIONS]
    parts.append("")
    parts += [entry(kind.__name__, kind) for kind in kinds]
    parts.append("## Measures\n")
    for name in MEASURES:
        columns = ", ".join(f"`{column}`" for column in MEASURES[name].columns)
        parts.append(f"### {name}\n\nColumns: {columns}.\n\n{body(inspect.getdoc(MEASURES[name]) or '')}")
    return "\n".join(parts).rstrip() + "\n"


def row(name: str) -> str:
    """One line of the table of transformations."""
    kind = TRANSFORMATIONS[name]
    grid = " ".join(f"{value:g}" for value in sorted(kind.grid))
    span = "{:g} to {:g}".format(*kind.span)
    return f"| [`{name}`](#{kind.__name__.lower()}) | {kind.unit_of_measure} | {kind.identity:g} | {span} | {grid} |"


def entry(name: str, thing: object) -> str:
    """A public name with its call and its docstring; a class with its public methods."""
    text = f"### {name}\n\n"
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        text += f"```python\n{name}{call(thing)}\n```\n\n"
    text += body(inspect.getdoc(thing) or "")
    if inspect.isclass(thing) and thing not in [TRANSFORMATIONS[known] for known in TRANSFORMATIONS]:
        text += "".join(method(name, key, value) for key, value in vars(thing).items() if not key.startswith("_"))
    return text


def method(owner: str, name: str, value: object) -> str:
    """A public method or property, in one line."""
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    documented = getattr(value, "__doc__", None)
    if not documented or not (callable(value) or hasattr(value, "fget") or hasattr(value, "func")):
        return ""
    signature = call(value, bound=True) if inspect.isfunction(value) else ""
    return f"- `{owner}.{name}{signature}`: {documented.strip().splitlines()[0]}\n"


def call(thing: object, bound: bool = False) -> str:
    """Arguments and their defaults; what they are stands in the text."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(…)"
    shown = [one.replace(annotation=inspect.Parameter.empty) for one in parameters[bound:]]
    text = str(inspect.Signature(shown))
    return text if len(text) < 100 else "(\n    " + re.sub(r", (?=[*\w])", ",\n    ", text[1:-1]) + ",\n)"


def body(text: str) -> str:
    """A docstring as Markdown."""
    pieces = re.split(rf"^({'|'.join(SECTIONS)}):[ ]*", text, flags=re.MULTILINE)
    out = [prose(pieces[0])]
    for title, content in zip(pieces[1::2], pieces[2::2], strict=True):
        content = inspect.cleandoc(content)
        if title == "Example":
            out.append(f"```python\n{content}\n```\n")
        elif title in ("Args", "Attributes", "Raises"):
            out.append(f"**{title}**\n\n{items(content)}\n")
        else:
            out.append(f"**{title}**: {' '.join(content.split())}\n")
    return "\n".join(out) + "\n"


def prose(text: str) -> str:
    """Paragraphs; indented formulas stay as they are."""
    return text.strip() + "\n"


def items(text: str) -> str:
    """The lines `name: what it is` as a list."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += " " + line.strip()
        elif line.strip():
            name, _, what = line.partition(": ")
            lines.append(f"- `{name}`: {what}" if what else f"- {name}")
    return "\n".join(lines)


def main() -> int:
    """Write the page, or compare it."""
    page = reference()
    if "--check" in sys.argv:
        current = TARGET.exists() and TARGET.read_text(encoding="utf-8") == page
        if not current:
            print("docs/reference.md is not current; run scripts/reference.py", file=sys.stderr)
        return 0 if current else 1
    TARGET.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
