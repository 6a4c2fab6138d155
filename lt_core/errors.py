"""The one exception for bad input: it carries a single line that a person can act on."""


class InputError(ValueError):
    """What is wrong, where, and what would be right, in one line. Commands print it and exit 2."""


class Unavailable(InputError):
    """Data that is neither on disk nor to be fetched; something else may serve."""


class Diverged(RuntimeError):
    """The loss stopped being a finite number; the run cannot go on."""
