"""Names to things: the one way losses, samplers, models, class weights and data sources are found."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T")


class Registry(dict[str, T]):
    """A dict that things enter by decorator: ``@SAMPLERS.register("over", balances=True)``.

    ``entry`` makes an entry of the thing and of what it says of itself.
    """

    def __init__(self, entry: Callable[..., T]):
        super().__init__()
        self.entry = entry

    def register(self, name: str, **about: Any) -> Callable[[Any], Any]:
        """Return a decorator that files its argument under ``name``; a name taken twice raises."""

        def enter(thing: Any) -> Any:
            if name in self:
                raise ValueError(f"{name!r} is registered already: choose another name")
            self[name] = self.entry(thing, **about)
            return thing

        return enter

    def known(self, name: str) -> str:
        """Return the name; raise ValueError where nothing is called so. A validator of knobs."""
        if name not in self:
            raise ValueError(nearest(name, self))
        return name


def nearest(name: str, known: Iterable[str]) -> str:
    """Say of an unknown name what it may have meant, by its letters or by its words' initials:
    ``'bata' (did you mean 'beta'?)``, ``'learning_rate' (did you mean 'lr'?)``."""
    names = sorted(known)
    short = [other for other in names if name == _initials(other) or other == _initials(name)]
    close = short or get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    return f"{name!r} ({hint})"


def _initials(name: str) -> str:
    words = re.split("[_-]", name)
    return "".join(word[:1] for word in words) if len(words) > 1 else name


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what is in them registers itself."""
    for module in sorted(module.name for module in pkgutil.iter_modules(path)):
        importlib.import_module(f"{package}.{module}")
