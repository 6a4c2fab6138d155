"""The long-tail training core: usable alone, see lt_core/train.py."""
