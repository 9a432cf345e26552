"""Names for things that a newcomer may add: one file each, found by its folder."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Generic, TypeVar

from invariscope.core.errors import UnknownNameError
from invariscope.core.names import unknown

T = TypeVar("T")
E = TypeVar("E")


class Registry(Mapping[str, T], Generic[T]):
    """The named things in a folder of files, and those of packages that offer an entry point of the folder's name.

    Args:
        kind: what is registered, as a noun for messages: "transformation".
        package: the dotted name of the folder; every file in it is imported at the first look-up. It is also the
            entry-point group under which another package may offer modules to import.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._entries: dict[str, T] = {}
        self._discovered = False

    def add(self, name: str) -> Callable[[E], E]:
        """Decorator: the one line that makes a class known by `name`."""

        def register(entry: E) -> E:
            if name in self._entries:
                raise ValueError(f"two {self.kind}s are called {name!r}: {self._entries[name]} and {entry}")
            self._entries[name] = entry  # type: ignore[assignment]
            return entry

        return register

    def _discover(self) -> None:
        if not self._discovered:
            self._discovered = True
            for module in iter_modules(import_module(self.package).__path__):
                import_module(f"{self.package}.{module.name}")
            for point in entry_points(group=self.package):
                point.load()

    def __getitem__(self, name: str) -> T:
        self._discover()
        if name not in self._entries:
            raise UnknownNameError(unknown(self.kind, name, self._entries))
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._discover()
        return len(self._entries)
