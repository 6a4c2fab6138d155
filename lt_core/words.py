"""Words for people: numbers of things, and names from outside made fit to be read."""

from collections.abc import Iterable

MOST_NAMED = 5


def count(n: int, what: str) -> str:
    """Return a number of things: 1 image, 1,200 images."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def printable(text: str) -> str:
    """Return the text with what does not print (control characters, bytes that are no UTF-8) as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def some(names: Iterable[str]) -> str:
    """Return the first few names, and how many more there are."""
    names = [printable(name) for name in names]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
