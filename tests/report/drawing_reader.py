"""What a drawing's SVG file holds: marks, words, their places."""

import re
from xml.etree import ElementTree

from invariscope.report.ink import Drawn, save

SVG = "{http://www.w3.org/2000/svg}"


class Drawing:
    """The marks and words of an SVG file."""

    def __init__(self, drawn: Drawn, folder) -> None:
        self.drawn = drawn
        self.root = ElementTree.fromstring(save(drawn, folder))
        self.words = ["".join(text.itertext()) for text in self.root.iter(f"{SVG}text")]
        self.size = tuple(float(self.root.attrib[side].removesuffix("pt")) for side in ("width", "height"))

    def groups(self, start: str):
        return [group for group in self.root.iter(f"{SVG}g") if group.get("id", "").startswith(start)]

    @property
    def dots(self) -> int:
        return sum(len(list(group.iter(f"{SVG}use"))) for group in self.groups("PathCollection"))

    @property
    def pictures(self):
        """Width, height and transform of every embedded picture."""
        return [
            (int(image.get("width")), int(image.get("height")), image.get("transform"))
            for image in self.root.iter(f"{SVG}image")
        ]

    def place(self, word: str) -> tuple[float, float]:
        """Where a word stands."""
        text = next(text for text in self.root.iter(f"{SVG}text") if "".join(text.itertext()) == word)
        return place_of(text)

    @property
    def places(self) -> list[tuple[str, float, float]]:
        """Every word with its place."""
        return [("".join(text.itertext()), *place_of(text)) for text in self.root.iter(f"{SVG}text")]


def place_of(text: ElementTree.Element) -> tuple[float, float]:
    """Where a text element stands, turned or not."""
    found = re.search(r"translate\((-?[\d.]+) (-?[\d.]+)\)", text.get("transform", "")) or re.search(
        r"^(-?[\d.]+) (-?[\d.]+)$", f"{text.get('x')} {text.get('y')}"
    )
    assert found, ElementTree.tostring(text)
    return float(found[1]), float(found[2])
