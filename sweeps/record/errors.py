"""What is said of a results folder that cannot be read."""


class RecordError(ValueError):
    """A results folder that cannot be read; one line says which file, and why."""
