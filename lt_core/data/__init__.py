"""Data: sources (decoded once, mapped by every run), long-tailed class counts, splits."""

from lt_core.data.dataset import Dataset, load_dataset, open_copy
from lt_core.data.longtail import class_counts, draw, hold_out, validation_sizes

__all__ = ["Dataset", "class_counts", "draw", "hold_out", "load_dataset", "open_copy", "validation_sizes"]
