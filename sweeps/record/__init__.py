"""The contract: what a results folder holds. Sweeps write through it, analysis reads through it."""
