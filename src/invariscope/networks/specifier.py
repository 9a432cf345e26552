"""Specifiers: `SOURCE:NAME?option=value&…`, taken apart."""

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches

from invariscope.core.errors import NetworkError

FORMS = (
    "torchvision:NAME, timm:NAME, builtin:NAME, path/to/file.py:function, path/to/exported.pt2 "
    "or path/to/networks/NAME.safetensors"
)


class Options:
    """The options of a specifier; each is asked for once by whoever understands it, and what is left over is unknown.

    Args:
        given: names and values, as written.
        spec: the specifier, for messages.
    """

    def __init__(self, given: dict[str, str], spec: str) -> None:
        self._given, self._spec = dict(given), spec
        self._asked: set[str] = set()

    def text(self, name: str) -> str | None:
        """The value as it is written, or None."""
        self._asked.add(name)
        return self._given.get(name)

    def integer(self, name: str, default: int, low: int = 0, high: int = 2**63 - 1) -> int:
        """A whole number from `low` to `high`.

        Raises:
            NetworkError: it is no such number.
        """
        text = self.text(name)
        if text is None:
            return default
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            most = f" to {high}" if high < 2**63 - 1 else " up"
            raise NetworkError(f"{name} is a whole number from {low}{most}; got {name}={text} in {self._spec!r}.")
        return value

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """Numbers separated by commas.

        Raises:
            NetworkError: one of them is no number.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return tuple(float(part) for part in text.split(","))
        except ValueError:
            message = f"{name} is numbers separated by commas, such as .5,.5,.5; got {name}={text} in {self._spec!r}."
            raise NetworkError(message) from None

    def size(self, name: str = "size") -> tuple[int, int] | None:
        """Height and width: "224" or "224x192".

        Raises:
            NetworkError: it is no size.
        """
        text = self.text(name)
        if text is None:
            return None
        parts = text.replace(",", "x").split("x")
        if len(parts) > 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
            raise NetworkError(f"{name} is pixels, such as 224 or 224x192; got {name}={text} in {self._spec!r}.")
        return int(parts[0]), int(parts[-1])

    def flag(self, name: str) -> bool | None:
        """True, false, or None where it is not given.

        Raises:
            NetworkError: it is neither.
        """
        text = self.text(name)
        if text is None:
            return None
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise NetworkError(f"{name} is true or false; got {name}={text} in {self._spec!r}.")
        return text.lower() in ("true", "1", "yes")

    def finish(self) -> None:
        """Refuse what nobody asked for.

        Raises:
            NetworkError: an option that this network does not have, with the nearest that it has.
        """
        for name in self._given:
            if name not in self._asked:
                near = get_close_matches(name, self._asked, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                known = ", ".join(sorted(self._asked))
                raise NetworkError(f"{self._spec!r} has no option {name!r}.{hint} It has: {known}.")


@dataclass(frozen=True)
class Specifier:
    """A specifier, taken apart.

    Args:
        text: as it was written.
        source: "torchvision", "timm", "builtin", "python", "exported" or "checkpoint".
        name: what follows the source: a name or a path.
        given: the options, as written.
    """

    text: str
    source: str
    name: str
    given: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """Its options, none of them asked for yet."""
        return Options(self.given, self.text)

    def without(self, names: Collection[str]) -> str:
        """The specifier without some of its options.

        Example:
            >>> parse("builtin:cnn?seed=3&classes=10").without(["seed"])
            'builtin:cnn?classes=10'
        """
        kept = "&".join(f"{name}={value}" for name, value in self.given.items() if name not in names)
        return self.text.partition("?")[0] + ("?" + kept if kept else "")


def parse(text: str) -> Specifier:
    """Take a specifier apart.

    Args:
        text: for example "torchvision:vgg19?weights=vgg.safetensors&until=features.17".

    Returns:
        Its parts; nothing is looked up yet.

    Raises:
        NetworkError: it has none of the known forms.

    Example:
        >>> parse("timm:vit_tiny_patch16_224?num_classes=10").given
        {'num_classes': '10'}
    """
    head, _, query = text.partition("?")
    # Taken as written: in a path, + and % mean themselves.
    parts = [part.partition("=") for part in query.split("&") if part]
    if any(not equals for _, equals, _ in parts):
        raise NetworkError(f"options are written ?name=value&name=value; got {query!r} in {text!r}.")
    given = {name: value for name, _, value in parts}
    source, colon, name = head.partition(":")
    if colon and source in ("torchvision", "timm", "builtin"):
        return Specifier(text, source, name, given)
    if ".py:" in head:
        return Specifier(text, "python", head, given)
    for suffix, kind in ((".pt2", "exported"), (".safetensors", "checkpoint")):
        if head.endswith(suffix):
            return Specifier(text, kind, head, given)
    if head.endswith((".pt", ".pth", ".bin", ".ckpt", ".pkl", ".th", ".tar")):
        raise NetworkError(
            f"{head} holds weights, or a pickle whose code would have to be run; name its architecture and give the "
            f"file as weights: torchvision:NAME?weights={head}."
        )
    raise NetworkError(f"no network is called {text!r}.{_hint(head)} A network is {FORMS}.")


def _hint(name: str) -> str:
    from torchvision import models

    near = get_close_matches(name, models.list_models(module=models), n=1)
    return f" Did you mean 'torchvision:{near[0]}'?" if near else ""
