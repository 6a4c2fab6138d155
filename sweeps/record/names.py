"""What things in a results folder may be called."""

import re


def is_plain(name: str) -> bool:
    """Say whether a name stays in the folder that it is put into."""
    return re.fullmatch(r"\w[\w.+-]*", name, re.ASCII) is not None
