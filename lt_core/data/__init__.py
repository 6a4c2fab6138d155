"""Data: sources (decoded once, mapped by every run), long-tailed class counts, splits."""

from lt_core.data.longtail import class_counts, draw, hold_out, validation_sizes
from lt_core.data.sources import Dataset, load_dataset

__all__ = ["Dataset", "class_counts", "draw", "hold_out", "load_dataset", "validation_sizes"]
