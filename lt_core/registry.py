"""Names to things: the one way losses, models and class weights are found."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")


class Registry(dict[str, T]):
    """A dict that things enter by decorator: ``@LOSSES.register("ce")``."""

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under ``name``; a name taken twice raises."""

        def enter(thing: T) -> T:
            if name in self:
                raise KeyError(f"{name!r} is registered already")
            self[name] = thing
            return thing

        return enter


def nearest(name: str, known: Iterable[str]) -> str:
    """Say of an unknown name what it may have meant: ``'bata' (did you mean 'beta'?)``."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    return f"{name!r} ({hint})"
