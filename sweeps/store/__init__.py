"""The results folder: rows that survive, checkpoints, and whether it is the same sweep."""
