"""Losses, class weights, and how they combine into the objective."""

from lt_core.losses.losses import LOSSES

__all__ = ["LOSSES"]
