"""Colours and type of the figures, and how a figure becomes files and a part of the page."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from invariscope.core.files import whole

# Name: (on light paper, on dark paper). Hues after Okabe & Ito (2008), which colour-blind readers can tell apart.
# Each light colour occurs once: the page replaces it in inline figures by a variable that follows the reader's theme.
COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#fffffe", "#15181c"),
    "ink": ("#1c2126", "#e8eaed"),
    "muted": ("#5d666f", "#a3abb3"),
    "faint": ("#aab2ba", "#5f6871"),
    "rule": ("#dfe3e7", "#30363d"),
    "wash": ("#f4f6f7", "#1d2126"),
    "blue": ("#0067a6", "#62b4ea"),
    "green": ("#00805d", "#35c79a"),
    "orange": ("#d98a00", "#f2b441"),
    "orange-ink": ("#925a00", "#f2b442"),
    "red": ("#c0452b", "#f58a6b"),
    "purple": ("#7d4fa3", "#bd94e0"),
    "grey": ("#b6bcc2", "#59626b"),
    "safe": ("#e3f1ec", "#16332b"),
    "on-strong": ("#fdfdfd", "#0d0f11"),
    **{
        f"green-{step}": pair
        for step, pair in enumerate(
            [
                ("#f1f5f4", "#1b2024"),
                ("#d3e9e1", "#1b3a32"),
                ("#a9d5c6", "#1f5546"),
                ("#74bda5", "#24745d"),
                ("#3a9d7e", "#2c9876"),
                ("#0b7b5b", "#3abf95"),
            ]
        )
    },
    **{
        f"step-{step}": pair
        for step, pair in enumerate(
            [
                ("#8fbdda", "#3d5f7a"),
                ("#66a0c8", "#4c7fa5"),
                ("#3f83b5", "#5f9fcb"),
                ("#25669a", "#82badf"),
                ("#134a79", "#abd3ee"),
                ("#082f54", "#d6ebfa"),
            ]
        )
    },
    **{
        f"red-{step}": pair
        for step, pair in enumerate(
            [
                ("#f6f4f2", "#1c1f23"),
                ("#f7dfd3", "#43261d"),
                ("#eeb99f", "#6b3423"),
                ("#df8a67", "#9a4a30"),
                ("#c9593a", "#d96f4d"),
            ]
        )
    },
}
LIGHT = {name: pair[0] for name, pair in COLOURS.items()}

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": LIGHT["ink"],
    "text.parse_math": False,
    "axes.edgecolor": LIGHT["faint"],
    "axes.facecolor": "none",
    "axes.labelcolor": LIGHT["muted"],
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.unicode_minus": True,
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "figure.facecolor": LIGHT["paper"],
    "figure.dpi": 72,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "invariscope",
    "image.composite_image": False,
}


@dataclass(frozen=True)
class Drawn:
    """A finished figure.

    Args:
        name: of its files.
        title: what it shows.
        caption: what a reader needs to read it, with the sample size.
        alternative: what it says, for a reader who does not see it.
        figure: the drawing.
    """

    name: str
    title: str
    caption: str
    alternative: str
    figure: Figure


@contextmanager
def styled() -> Iterator[None]:
    """Within the block, figures are made and written in the page's type and colours."""
    with matplotlib.rc_context(STYLE):
        yield


def sheet(width: float, height: float) -> Figure:
    """An empty figure whose sizes are pixels of the page, and points of print."""
    return Figure(figsize=(width / 72, height / 72))


def save(drawn: Drawn, folder: Path) -> str:
    """Write a figure as SVG and PNG, the same bytes every time.

    Args:
        drawn: the figure.
        folder: where they go.

    Returns:
        The text of the SVG file.
    """
    text = io.StringIO()
    with warnings.catch_warnings(), styled():
        # A class name may use letters that the plotting library's own face lacks; the browser's has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        drawn.figure.savefig(text, format="svg", metadata={"Date": None})
        with whole(folder / f"{drawn.name}.png") as draft:
            drawn.figure.savefig(
                draft, format="png", dpi=144, metadata={"Software": None}, pil_kwargs={"compress_level": 4}
            )
    with whole(folder / f"{drawn.name}.svg") as draft:
        draft.write_text(text.getvalue(), encoding="utf-8")
    return text.getvalue()


def inline(svg: str, prefix: str) -> str:
    """A figure as a part of the page: no addresses, names of its own, colours and type that follow the page.

    Args:
        svg: the text of an SVG file that `save` wrote.
        prefix: distinguishes the names in it from those of other figures.

    Returns:
        An `svg` element for HTML, without its role and label.
    """
    body = svg[svg.index("<svg") :]
    for useless in (r"<metadata>.*?</metadata>", r"<!--.*?-->", r"<style.*?</style>"):
        body = re.sub(useless, "", body, flags=re.DOTALL)
    body = re.sub(r'\s(xmlns(:\w+)?|version)="[^"]*"', "", body)
    body = body.replace("xlink:href", "href")
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', body))
    body = re.sub(r'\sid="([^"]*)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"<(g|defs)\s*/>", "", body)
    body = re.sub(r'(url\(|href=")#', rf"\g<1>#{prefix}-", body)
    body = re.sub(r"<[^>]*>", _themed, body)
    body = re.sub(r'(<svg[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"', r'\1 style="max-width:\2px"', body)
    body = re.sub(r">\s+<", "><", body)
    return _without_bare_groups(body.strip())


def _without_bare_groups(body: str) -> str:
    """Take out the groups that name or style nothing: half of the tags that the drawing library writes."""
    kept, bare = [], []
    for tag in re.split(r"(<g>|<g [^>]*>|</g>)", body):
        if tag == "<g>" or tag.startswith("<g "):
            bare.append(tag == "<g>")
            kept.append("" if bare[-1] else tag)
        else:
            kept.append("" if tag == "</g>" and bare.pop() else tag)
    return "".join(kept)


def _themed(tag: re.Match[str]) -> str:
    """A tag with colours that follow the page, without what the page says for all figures, and no finer than 0.1."""
    text = re.sub(r"#[0-9a-f]{6}\b", lambda colour: _VARIABLES.get(colour[0], colour[0]), tag[0])
    text = re.sub(r"font-family: [^;\"]*; ?|stroke-dashoffset: 0; ?", "", text)
    text = re.sub(r' transform="rotate\(-?0 [^"]*"', "", text)
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"\s+", " ", path[0]).replace(" L ", "L"), text)
    return re.sub(r"(\d\.\d)\d+", r"\1", text)


_VARIABLES = {colour: f"var(--{name})" for name, colour in LIGHT.items()}
