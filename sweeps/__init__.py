"""Turns an experiment into trials, and trials into Parquet. The command is sweeps/run.py."""
