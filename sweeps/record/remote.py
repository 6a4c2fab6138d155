"""Results in an object store: how a URI is opened, and what the store's errors mean.

Credentials and endpoint are the environment's (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and the like).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from sweeps.record.errors import RecordError

EXTRA = "pip install 'longtail-sweeps[s3]'"
# By name: which of these libraries there are depends on the store.
CONNECTION_ERRORS = {
    "botocore.exceptions.ConnectionError",
    "botocore.exceptions.HTTPClientError",
    "aiohttp.client_exceptions.ClientError",
}
CREDENTIAL_ERRORS = {
    "botocore.exceptions.NoCredentialsError",
    "botocore.exceptions.PartialCredentialsError",
    "botocore.exceptions.TokenRetrievalError",
}
BUSY = (409, 429)  # beside 5xx: somebody else is at it, or too many requests


def is_remote(text: str) -> bool:
    """Whether a place is named by a URI; else it is a folder."""
    return "://" in text


def filesystem(uri: str) -> tuple[Any, str]:
    """Open the store of a URI, without caches of listings; return it and the path there.

    Raises:
        RecordError: the URI is none of a store that is known, holds credentials, or a package is missing.
    """
    _check(uri)
    try:
        import fsspec

        return fsspec.core.url_to_fs(uri, use_listings_cache=False)
    except ImportError as error:
        raise RecordError(f"{uri}: {' '.join(str(error).split())}: {EXTRA}") from None
    except ValueError as error:
        raise RecordError(f"{uri}: {error}") from None


def results_folder(text: str) -> Path:
    """Return a results folder to read: a local one with ~ as the home folder, or one at a URI.

    Raises:
        RecordError: as `filesystem`.
    """
    if not is_remote(text):
        return Path(text).expanduser()
    filesystem(text)
    try:
        from upath import UPath
    except ImportError:
        raise RecordError(f"{text}: universal-pathlib is not installed: {EXTRA}") from None
    return cast(Path, UPath(text, use_listings_cache=False))  # has the methods of a Path that reads


@contextmanager
def reading(place: object) -> Iterator[None]:
    """Turn a store's refusal, or its absence, into a RecordError of one line."""
    try:
        yield
    except Exception as error:
        if not is_remote(str(place)):
            raise
        if why := refusal(error) or absence(error):
            raise RecordError(f"cannot read {place}: {why}") from None
        raise


def refusal(error: BaseException) -> str | None:
    """Return what a store's error says where asking again would not help; None: it is another error."""
    if _code(error) == "NoSuchBucket":
        return "there is no such bucket: create it, or give another"
    if isinstance(error, PermissionError):
        return f"access denied ({_line(error)}): the environment's credentials must allow it"
    if CREDENTIAL_ERRORS & _kinds(error):
        return f"{_line(error)}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    if isinstance(error, FileNotFoundError | FileExistsError) or absence(error):
        return None
    return _line(error) if isinstance(error, OSError) else None


def absence(error: BaseException) -> str | None:
    """Return why a store cannot be reached, or does not do its work, for now; None: it is another error."""
    status = _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    away = isinstance(error, ConnectionError | TimeoutError) or CONNECTION_ERRORS & _kinds(error)
    return _line(error) if away or status in BUSY or status >= 500 else None


def _check(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.password is not None:
        shown = f"{parts.scheme}://...@{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise RecordError(f"{shown}: credentials belong into the environment, not into a URI")
    if set(uri) & set("*?[]#"):
        raise RecordError(f"{uri}: a URI of results is without * ? [ ] #")
    if not parts.netloc:
        raise RecordError(f"{uri}: write s3://BUCKET/PREFIX; a folder on this machine by its path")


def _response(error: BaseException) -> dict[str, Any]:
    for one in (error, error.__cause__):
        if isinstance(response := getattr(one, "response", None), dict):
            return response
    return {}


def _code(error: BaseException) -> str | None:
    return _response(error).get("Error", {}).get("Code")


def _kinds(error: BaseException) -> set[str]:
    return {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
