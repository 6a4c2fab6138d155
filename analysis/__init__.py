"""Reads results folders: Parquet and sweep.json. Knows nothing of how they came about."""
