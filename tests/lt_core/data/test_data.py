"""Sources: what they read, what they refuse, and the decoded copy."""

import io
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lt_core.data import load_dataset
from lt_core.errors import InputError


def png(value: int, size: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def write_parquet(folder, labels, images=None, names=("cat", "dog"), column="img"):
    folder.mkdir(exist_ok=True)
    for split in ("train", "test"):
        cells = [{"bytes": data, "path": None} for data in images or [png(40 * (y or 0)) for y in labels]]
        table = pa.table({column: cells, "label": pa.array(labels, pa.int64())})
        features = {"info": {"features": {"label": {"names": list(names)}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
        pq.write_table(table, folder / f"{split}-00000.parquet")
    return f"parquet:{folder}"


def test_digits(digits):
    assert digits.name == "digits"
    assert digits.train_images.shape == (1297, 8, 8, 1)
    assert np.bincount(digits.test_labels).tolist() == [50] * 10
    assert digits.train_counts.min() == 124
    assert digits.train_images.max() == 255


def test_parquet(tmp_path):
    data = load_dataset(write_parquet(tmp_path / "mine", [0, 1, 1]), tmp_path)
    assert (data.name, data.class_names) == ("mine", ("cat", "dog"))
    assert data.train_labels.tolist() == [0, 1, 1]
    assert data.train_images[:, 0, 0, 0].tolist() == [0, 40, 40]


def test_the_decoded_copy_is_mapped_and_used_again(tmp_path):
    spec = write_parquet(tmp_path / "mine", [0, 1])
    first = load_dataset(spec, tmp_path / "d")
    (copy,) = (tmp_path / "d" / "decoded").iterdir()
    stamp = (copy / "train_images.npy").stat().st_mtime_ns
    second = load_dataset(spec, tmp_path / "d")
    assert isinstance(second.train_images, np.memmap)
    assert (copy / "train_images.npy").stat().st_mtime_ns == stamp
    assert first.fingerprint == second.fingerprint
    write_parquet(tmp_path / "mine", [0, 1, 1])
    assert len(load_dataset(spec, tmp_path / "d").train_labels) == 3


def test_folder_with_test_split_resizes(tmp_path):
    for split, name, value in [(s, n, v) for s in ("train", "test") for n, v in (("a", 10), ("b", 200))]:
        (tmp_path / "tree" / split / name).mkdir(parents=True)
        (tmp_path / "tree" / split / name / "1.png").write_bytes(png(value, 20))
    data = load_dataset(f"folder:{tmp_path / 'tree'}", tmp_path, image_size=16)
    assert data.train_images.shape == (2, 16, 16, 3)
    assert data.train_images[:, 0, 0, 0].tolist() == [10, 200]
    assert data.class_names == ("a", "b")


def test_one_tree_of_classes_gets_a_stratified_test_split(tmp_path):
    for name in "ab":
        (tmp_path / "tree" / name).mkdir(parents=True)
        for i in range(30):
            (tmp_path / "tree" / name / f"{i}.png").write_bytes(png(i))
    data = load_dataset(f"folder:{tmp_path / 'tree'}", tmp_path)
    assert np.bincount(data.test_labels).tolist() == [6, 6]
    assert np.bincount(data.train_labels).tolist() == [24, 24]
    seen = {*data.train_images[:, 0, 0, 0].tolist()}, {*data.test_images[:, 0, 0, 0].tolist()}
    assert len(seen[1]) <= 12


def truncate(folder):
    path = folder / "train-00000.parquet"
    path.write_bytes(path.read_bytes()[:100])


def remove(folder):
    os.remove(folder / "test-00000.parquet")


@pytest.mark.parametrize(
    ("make", "spoil", "message"),
    [
        ({"labels": [0, 1]}, truncate, r"train-00000.parquet is not a readable Parquet file"),
        ({"labels": [0, 1]}, remove, r"has no test\*.parquet"),
        ({"labels": [0, 7]}, None, r"label 7 in row 1 is out of range \(classes: 0 to 1\)"),
        ({"labels": [-1, 0]}, None, r"label -1 in row 0 is out of range"),
        ({"labels": []}, None, r"holds no image"),
        ({"labels": [0, None]}, None, r"must hold whole numbers or names, without gaps"),
        ({"labels": [0, 1], "images": [png(0), b"junk"]}, None, r"row 1: not a readable image"),
        ({"labels": [0, 1], "images": [png(0), png(0, 9)]}, None, r"not all of one square size"),
        ({"labels": [0, 1], "column": "pixels"}, None, r"none of them img or image"),
    ],
)
def test_bad_parquet_is_refused_by_name(tmp_path, make, spoil, message):
    spec = write_parquet(tmp_path / "mine", **make)
    if spoil:
        spoil(tmp_path / "mine")
    with pytest.raises(InputError, match=message) as error:
        load_dataset(spec, tmp_path / "d")
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "d").glob("decoded/*"))


def test_sixteen_bit_images_are_refused_rather_than_clipped(tmp_path):
    for name in "ab":
        (tmp_path / "tree" / name).mkdir(parents=True)
        Image.new("I;16", (8, 8), 3000).save(tmp_path / "tree" / name / "1.png")
    with pytest.raises(InputError, match=r"a/1.png: image mode I;16: convert it to 8 bits a channel"):
        load_dataset(f"folder:{tmp_path / 'tree'}", tmp_path)


def test_other_files_beside_parquet_do_not_make_a_new_copy(tmp_path):
    spec = write_parquet(tmp_path / "mine", [0, 1])
    for i in range(2):
        load_dataset(spec, tmp_path / "mine" / "data")
        (tmp_path / "mine" / f"notes-{i}.txt").write_text("")
    assert len(list((tmp_path / "mine" / "data" / "decoded").iterdir())) == 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cifar", r"unknown dataset 'cifar' \(did you mean 'cifar10"),
        ("digits:somewhere", "unknown dataset"),
        ("parquet:missing", "missing is not a folder"),
    ],
)
def test_unknown_or_missing_data(tmp_path, spec, message):
    with pytest.raises(InputError, match=message):
        load_dataset(spec, tmp_path)


def test_an_empty_folder(tmp_path):
    (tmp_path / "tree").mkdir()
    with pytest.raises(InputError, match=str(tmp_path / "tree")):
        load_dataset(f"folder:{tmp_path / 'tree'}", tmp_path)


def test_a_damaged_decoded_copy_is_named(tmp_path):
    load_dataset("digits", tmp_path)
    (copy,) = (tmp_path / "decoded").iterdir()
    (copy / "train_images.npy").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"decoded.*is damaged.*delete that folder"):
        load_dataset("digits", tmp_path)
