"""Numbers become words here and nowhere else."""

import math


def count(n: int, what: str) -> str:
    """Write a number of things: 1 seed, 5 seeds."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """Write a share as percent with one decimal; an absent value as nothing."""
    return "" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def plus_minus(mean: float, se: float) -> str:
    """Write a mean and its standard error in percent: 41.3 ± 0.5."""
    spread = percent(se)
    return f"{percent(mean)} ± {spread}" if spread else percent(mean)


def interval(mean: float, low: float, high: float) -> str:
    """Write a difference and its bounds in points: +11.8 [+10.2, +13.4]."""
    if math.isnan(mean):
        return ""
    bounds = "" if math.isnan(low) else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * mean:+.1f}{bounds}"


def ratio(value: float) -> str:
    """Write an imbalance ratio with three digits, or all before the point: 10.3, 1,250."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
