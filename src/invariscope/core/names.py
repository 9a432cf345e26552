"""The nearest name, for a person who mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: str, known: Iterable[str], *, most: int = 40) -> str:
    """A sentence for a name that is not known, with the nearest one that is.

    Args:
        kind: what the name should have named, as a noun: "transformation".
        name: what was given.
        known: every name that would have worked.
        most: how many known names to list at most.

    Returns:
        One or two sentences for an error message.

    Example:
        >>> unknown("transformation", "rotaton", ["rotation", "shear"])
        "no transformation is called 'rotaton'. Did you mean 'rotation'? Known: rotation, shear."
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    rest = f", … ({len(names)} in all)" if len(names) > most else ""
    return f"no {kind} is called {name!r}.{hint} Known: {', '.join(names[:most])}{rest}."
