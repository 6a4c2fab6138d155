"""A place that holds a sweep already: a new one is refused, before anything heavy is imported."""

from collections.abc import Collection

from lt_core.errors import InputError
from sweeps.store.location import Folder, Location


def refuse_at_once(place: Location, asked: Collection[str]) -> None:
    """Raise InputError where a place holds a sweep, or a folder one that runs: that is known by its lock.
    In a store that could take a minute to tell, and --resume does."""
    if isinstance(place, Folder) and place.names("sweep.json"):
        place.lock().close()
    refuse_taken(place, asked)


def refuse_taken(place: Location, asked: Collection[str] = ()) -> None:
    """Raise InputError where a place holds a sweep.

    ``asked``: the data that a new one may be on, as --dataset names it; empty: that is not known.
    """
    if not place.names("sweep.json"):
        return
    begun = _dataset(place)
    if asked and begun and begun not in asked:
        raise InputError(f"{place} already holds results on other data, {begun}: give another --results")
    remedy = "go on with --resume, give another --results, or move it away"
    raise InputError(f"{place} already holds results: {remedy}")


def _dataset(place: Location) -> str | None:
    """Return the data that the sweep was begun with, as --dataset names it; None: sweep.json does not say."""
    from sweeps.record.description import parse_description

    try:
        return parse_description(place.read("sweep.json")).options.get("dataset")
    except (OSError, ValueError):
        return None
