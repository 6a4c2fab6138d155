"""What things in a results folder may be called."""

import re

RULE = "a name begins with a letter, a digit or _; . + - may follow"


def is_plain(name: str) -> bool:
    """Say whether a name stays in the folder that it is put into."""
    return re.fullmatch(r"\w[\w.+-]*", name, re.ASCII) is not None


def plain_name(label: str) -> str:
    """Return a plain name for what people call ``label``: CB-Focal_0.99 for CB-Focal β=0.99."""
    return re.sub(r"[^\w.+-]+", "_", label, flags=re.ASCII).strip("_.+-") or "added"
