"""Faults: what sweeps survive."""
