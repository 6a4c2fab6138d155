"""One file a source of images; each registers itself in lt_core.data.sources.SOURCES."""

from lt_core.registry import import_all

import_all(__name__, __path__)
