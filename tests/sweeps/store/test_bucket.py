"""Calls to a store that is away, that refuses, or that does not know whoever asks."""

import sys
import threading
import time

import botocore.exceptions
import fsspec
import pytest
import s3fs

from lt_core.errors import InputError
from sweeps.record.errors import RecordError
from sweeps.record.remote import results_folder
from sweeps.store import bucket as buckets
from sweeps.store.bucket import Bucket
from sweeps.store.location import open_location
from tests import stores


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(buckets, "FIRST_PAUSE", 0.01)


def answer(status, code):
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = OSError(code)
    error.__cause__ = botocore.exceptions.ClientError(response, "PutObject")
    return error


AWAY = [
    ConnectionResetError("reset"),
    TimeoutError("slow"),
    botocore.exceptions.EndpointConnectionError(endpoint_url="http://there"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="http://there"),
    answer(503, "SlowDown"),
    answer(500, "InternalError"),
    answer(409, "ConditionalRequestConflict"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: str(error)[:20])
def test_what_passes_is_tried_again_with_one_note(error, s3, quick, monkeypatch, capsys):
    call, left = s3fs.S3FileSystem._call_s3, [3]

    async def sometimes(self, *arguments, **options):
        if left[0]:
            left[0] -= 1
            raise error
        return await call(self, *arguments, **options)

    bucket = Bucket(s3)
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", sometimes)
    bucket.put("a", b"whole")
    assert bucket.read("a") == b"whole"
    assert capsys.readouterr().err.count(f"note: {s3} is away") == 1


def test_who_is_impatient_says_so_too_and_the_outage_has_one_note(s3, quick, monkeypatch, capsys):
    """A sweep whose trials wait for the store asks it nothing itself, but for its lock's thread."""

    async def fail(*_, **__):
        raise ConnectionResetError("reset")

    bucket = Bucket(s3)
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", fail)
    monkeypatch.setattr(buckets, "PATIENCE_SECONDS", 0.0)
    for one in (bucket.impatient(), bucket, bucket.impatient()):
        with pytest.raises(InputError, match="reset; what is there stays good"):
            one.put("a", b"")
    assert capsys.readouterr().err.count("note: ") == 1


def test_what_is_not_understood_is_raised(s3, monkeypatch):
    async def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", fail)
    with pytest.raises(ZeroDivisionError):
        Bucket(s3).put("a", b"")


def test_an_upload_whose_answer_was_lost_is_not_taken_for_somebody_elses(s3, quick, monkeypatch):
    call, left = s3fs.S3FileSystem._call_s3, [1]

    async def deaf(self, method, *arguments, **options):
        done = await call(self, method, *arguments, **options)
        if method == "put_object" and left[0]:
            left[0] -= 1
            raise ConnectionResetError("the answer")
        return done

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", deaf)
    place = open_location(f"{s3}/sweep")
    place.lock().close()
    assert left == [0]


def test_a_signal_in_a_pause_ends_the_waiting(s3, monkeypatch):
    """Its handler asks for checkpoints, at the place."""
    bucket = Bucket(s3)

    async def fail(*_, **__):
        raise ConnectionResetError("reset")

    def ring(seconds):
        bucket.put("closing", b"")

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", fail)
    monkeypatch.setattr(buckets.time, "sleep", ring)
    with pytest.raises(InputError, match=rf"cannot write {s3}/closing: reset; what is there stays good"):
        bucket.put("a", b"")


def test_a_wire_that_is_cut_and_mended(s3_port, tmp_path, quick):
    wire = stores.Wire(s3_port)
    with stores.environment(wire.port, tmp_path / "cache"):
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        place = open_location(f"s3://{stores.BUCKET}/{tmp_path.name}/sweep")
        held = place.lock()
        place.write("a", b"before")
        wire.cut()

        def mend():
            time.sleep(2)
            wire.mend()

        mending = threading.Thread(target=mend)
        mending.start()
        place.write("a", b"after")
        mending.join()
        assert (place.read("a"), place.names("*")) == (b"after", ["a"])
        held.close()
        wire.cut()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://none-there/x", "cannot list s3://none-there/x: there is no such bucket: create it"),
        ("nope://b/x", "nope://b/x: Protocol not known: nope"),
        ("file:///tmp/x", "file:///tmp/x: write s3://BUCKET/PREFIX"),
        ("s3://key:secret@b/x", r"s3://\.\.\.@b/x: credentials belong into the environment"),
        ("s3://b/x*", "is without"),
    ],
)
def test_what_is_wrong_with_a_uri_is_one_line(uri, said, s3):
    with pytest.raises(InputError, match=said) as caught:
        open_location(uri).names("*")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_who_has_no_credentials_is_told_what_to_set(s3, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(InputError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_location(f"{s3}/x").write("a", b"")
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.mark.parametrize("module", ["s3fs", "upath"])
def test_a_package_that_is_missing_is_named_with_what_installs_it(module, s3, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(RecordError, match=r"pip install 'longtail-sweeps\[s3\]'"):
        results_folder(s3)
