"""Parquet files: whose names and labels are whose, and what is refused."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lt_core.data import load_dataset
from lt_core.errors import InputError
from tests.lt_core.data.test_data import png

SHADE = {"cat": 10, "dog": 100, "owl": 200}


def write(path, labels, names=None, shades=None, metadata=None, label="label", image="img"):
    """Write a file whose images are as bright as what they show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shades = shades or [SHADE[names[y]] if names else 10 * k for k, y in enumerate(labels)]
    table = pa.table({image: [{"bytes": png(shade)} for shade in shades], label: labels})
    if metadata is None and names:
        metadata = json.dumps({"info": {"features": {label: {"names": names}}}})
    if metadata is not None:
        table = table.replace_schema_metadata({"huggingface": metadata})
    pq.write_table(table, path)


def opened(root):
    return load_dataset(f"parquet:{root}", root.parent / "copies")


def shown(data, split="train"):
    """Return what the images of a split show, and what they are called."""
    names = {shade: name for name, shade in SHADE.items()}
    pictures, labels = getattr(data, f"{split}_images"), getattr(data, f"{split}_labels")
    return [
        (names[int(image[0, 0, 0])], data.class_names[k]) for image, k in zip(pictures, labels, strict=True)
    ]


def test_names_are_mapped_over_splits_and_shards(tmp_path):
    root = tmp_path / "pets"
    write(root / "train-0.parquet", [0, 1, 2], ["cat", "dog", "owl"])
    write(root / "train-1.parquet", [0, 1, 2], ["owl", "cat", "dog"])
    write(root / "test.parquet", [0, 1, 2], ["dog", "owl", "cat"])
    data = opened(root)
    assert data.class_names == ("cat", "dog", "owl")
    assert data.train_counts.tolist() == [2, 2, 2]
    for split in ("train", "test"):
        assert all(picture == name for picture, name in shown(data, split))


def test_labels_that_are_names(tmp_path):
    root = tmp_path / "pets"
    write(root / "train.parquet", ["owl", "cat", "owl"], shades=[200, 10, 200])
    write(root / "test.parquet", pa.array(["cat", "owl"]).dictionary_encode(), shades=[10, 200])
    data = opened(root)
    assert shown(data) == [("owl", "owl"), ("cat", "cat"), ("owl", "owl")]
    assert shown(data, "test") == [("cat", "cat"), ("owl", "owl")]


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        ([1, 2, 3], "labels 1, 2, 3"),
        ([7, 20, 3], "labels 3, 7, 20"),
        ([1_400_000_000, 5, 6], "labels 5, 6, 1400000000"),
        (
            pa.array([2**64 - 1, 1, 2], pa.uint64()),
            f"labels 1, 2, {2**64 - 1}",
        ),
    ],
)
def test_labels_are_numbered(tmp_path, labels, note):
    for split in ("train", "test"):
        write(tmp_path / "pets" / f"{split}.parquet", labels)
    data = opened(tmp_path / "pets")
    values = labels.to_pylist() if isinstance(labels, pa.Array) else labels
    assert f"{note} are classes 0 to 2, in this order" in data.notes
    assert [data.class_names[k] for k in data.train_labels] == [str(value) for value in values]
    assert sorted(data.train_labels.tolist()) == [0, 1, 2]


def test_labels_from_0_on_need_no_note(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / "pets" / f"{split}.parquet", [1, 0, 2])
    data = opened(tmp_path / "pets")
    assert data.train_labels.tolist() == [1, 0, 2]
    assert not any("labels" in note for note in data.notes)


def test_names_that_are_double_empty_or_unreadable(tmp_path):
    names = ["cat", "cat", "", "a\nb", " cat"]
    for split in ("train", "test"):
        metadata = json.dumps({"info": {"features": {"label": {"names": names}}}})
        write(tmp_path / "pets" / f"{split}.parquet", [0, 1, 2, 3, 4], metadata=metadata)
    data = opened(tmp_path / "pets")
    assert data.class_names == ("cat", "cat (2)", "class 2", r"a\nb", "cat (3)")
    changed = "class 1 is called 'cat (2)', class 2 is called 'class 2'"
    assert any(
        f"class names that were empty, double or hard to read: {changed}" in note for note in data.notes
    )


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("not json", "its metadata are not JSON"),
        ("null", "its metadata have no 'info' where it should be"),
        ("[1]", "its metadata have no 'info' where it should be"),
        ('{"info": null}', "its metadata have no 'features' where it should be"),
        ('{"info": {"features": []}}', "its metadata have no 'label' where it should be"),
        ('{"info": {"features": {"label": {"names": {"0": "cat"}}}}}', "they are no list of names"),
        ('{"info": {"features": {"label": {"names": ["cat", null]}}}}', "they are no list of names"),
    ],
)
def test_metadata_from_outside_is_checked(tmp_path, metadata, why):
    for split in ("train", "test"):
        write(tmp_path / "pets" / f"{split}.parquet", [0, 1], metadata=metadata)
    data = opened(tmp_path / "pets")
    assert data.class_names == ("0", "1")
    assert f"class names of train.parquet are not used: {why}" in data.notes


def test_names_without_an_image_are_left_out(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / "pets" / f"{split}.parquet", [0, 2], ["cat", "dog", "owl"])
    data = opened(tmp_path / "pets")
    assert data.class_names == ("cat", "owl")
    assert "left out, names without an image: dog" in data.notes


def both(root, train, test):
    write(root / "train.parquet", **train)
    write(root / "test.parquet", **test)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ({"labels": [0, 1]}, {"labels": [0, 2]}, r"class '2' .* has 1 test images and no training image"),
        ({"labels": [0, 0]}, {"labels": [0, 0]}, r"one class, '0': a classifier needs two"),
        (
            {"labels": [0, 1], "names": ["cat", "dog"]},
            {"labels": [0, 1]},
            r"train.parquet names its classes, .*no",
        ),
        (
            {"labels": [0, 1]},
            {"labels": [0, 1], "label": "fine_label"},
            r"has the column 'fine_label'",
        ),
        ({"labels": [0, 1]}, {"labels": [0, 1], "image": "image"}, r"'img', .* has the column 'image'"),
        (
            {"labels": [0, 1]},
            {"labels": ["cat", "dog"]},
            r"numbers in some files and names in others",
        ),
        ({"labels": [0.0, 1.0]}, {"labels": [0, 1]}, r"column 'label' must hold whole numbers or names"),
        ({"labels": [True, False]}, {"labels": [0, 1]}, r"column 'label' must hold whole numbers or names"),
        (
            {"labels": [0, -1]},
            {"labels": [0, 1]},
            r"label -1 in row 1 is out of range \(classes: 0 or",
        ),
    ],
)
def test_files_that_do_not_go_together_are_refused(tmp_path, train, test, message):
    both(tmp_path / "pets", train, test)
    with pytest.raises(InputError, match=message) as error:
        opened(tmp_path / "pets")
    assert "\n" not in str(error.value)


def test_files_in_two_places_are_refused_and_others_are_said(tmp_path):
    root = tmp_path / "pets"
    both(root, {"labels": [0, 1]}, {"labels": [0, 1]})
    write(root / "validation.parquet", [0, 1])
    assert "not read, called neither train nor test: validation.parquet (1 in all)" in opened(root).notes
    write(root / "data" / "train-0.parquet", [0, 1])
    with pytest.raises(InputError, match=r"holds train.parquet and data/train-0.parquet: keep one"):
        opened(root)


def test_images_that_are_paths_are_refused(tmp_path):
    for split in ("train", "test"):
        table = pa.table({"img": [{"bytes": None, "path": "1.png"}] * 2, "label": [0, 1]})
        (tmp_path / "pets").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / "pets" / f"{split}.parquet")
    with pytest.raises(InputError, match=r"train.parquet, row 0: column 'img' holds no image bytes"):
        opened(tmp_path / "pets")


@pytest.mark.parametrize(
    ("shards", "message"),
    [
        (
            ["00001-of-00003", "00002-of-00003"],
            "lacks 00000-of-00003 beside train-00001.*, 3 in all",
        ),
        (
            ["00000-of-00001", "00000-of-00002"],
            "holds shards of 00001 and of 00002 beside train-00000",
        ),
    ],
)
def test_all_files_must_be_there_that_their_names_speak_of(tmp_path, shards, message):
    root = tmp_path / "pets"
    for shard in shards:
        write(root / f"train-{shard}.parquet", [0, 1])
    write(root / "test-00000-of-00001.parquet", [0, 1])
    with pytest.raises(InputError, match=message):
        opened(root)
    (root / f"train-{shards[0]}.parquet").rename(root / "train-00000-of-00001.parquet")
    for shard in shards[1:]:
        (root / f"train-{shard}.parquet").unlink()
    assert opened(root).train_counts.tolist() == [1, 1]
