"""Models by name, one family a file; each registers itself where it is defined."""

from lt_core.models.registry import MODELS
from lt_core.registry import import_all

import_all(__name__, __path__)

__all__ = ["MODELS"]
