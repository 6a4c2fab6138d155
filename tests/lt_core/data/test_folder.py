"""Trees of image files: which folders are splits and classes, what is skipped, what decoding keeps."""

import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lt_core.data import images, load_dataset
from lt_core.errors import InputError

RED, WHITE = [255, 0, 0], [255, 255, 255]


def save(path, colour=(255, 0, 0), size=(8, 8), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)
    return path


def tree(root, splits=("train", "test"), classes=("cat", "dog"), images=2):
    for split in splits:
        for k, name in enumerate(classes):
            for i in range(images):
                save(root / split / name / f"{i}.png", (100 * k + i, 0, 0))
    return root


def opened(root, data_dir=None, **options):
    return load_dataset(f"folder:{root}", data_dir or root.parent / "copies", **options)


def noted(data):
    return "; ".join(data.notes)


def test_folders_behind_links_never_share_a_copy(tmp_path):
    for name, shade in (("one", 10), ("two", 200)):
        for split in ("train", "test"):
            for label in "ab":
                save(tmp_path / "real" / name / split / label / "1.png", (shade, 0, 0))
        for split in ("train", "test"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / split).symlink_to(tmp_path / "real" / name / split)
    assert [opened(tmp_path / name).train_images.max() for name in ("one", "two")] == [10, 200]


def test_a_file_rewritten_with_its_size_and_time_makes_a_new_copy(tmp_path):
    root = tree(tmp_path / "pets")
    path = save(root / "train" / "cat" / "9.bmp", (1, 0, 0))
    before, stat = opened(root), path.stat()
    save(path, (2, 0, 0))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert opened(root).fingerprint != before.fingerprint


def test_a_renamed_class_and_what_is_skipped_make_a_new_copy(tmp_path):
    root = tree(tmp_path / "pets")
    opened(root)
    for split in ("train", "test"):
        (root / split / "dog").rename(root / split / "owl")
    assert opened(root).class_names == ("cat", "owl")
    (root / "train" / "cat" / "notes.txt").write_text("")
    assert "not read, by its ending no image: 1 file, .txt (1)" in noted(opened(root))


@pytest.mark.parametrize(
    "splits", [("Train", "Test"), ("training", "validation"), ("TRAIN", "val"), ("train", "testing")]
)
def test_common_spellings_of_splits(tmp_path, splits):
    data = opened(tree(tmp_path / "pets", splits))
    assert data.class_names == ("cat", "dog")
    assert (len(data.train_labels), len(data.test_labels)) == (4, 4)
    assert f"splits {splits[0]}/ and {splits[1]}/" in data.notes


def test_a_third_split_is_not_read_and_that_is_said(tmp_path):
    data = opened(tree(tmp_path / "pets", ("train", "val", "test")))
    assert len(data.test_labels) == 4
    assert "not read, beside the splits: val/ with 4 images" in data.notes


def test_hidden_folders_and_a_tools_are_no_classes(tmp_path):
    root = tree(tmp_path / "pets")
    for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir", ".thumbnails"):
        save(root / "train" / name / "1.png")
    save(root / "train" / "cat" / "._0.png")
    data = opened(root)
    assert data.class_names == ("cat", "dog")
    assert data.train_counts.tolist() == [2, 2]
    assert "not read, hidden or a tool's: 5 names" in data.notes


def test_what_is_not_read_is_counted(tmp_path):
    root = tree(tmp_path / "pets")
    (root / "train" / "empty").mkdir()
    save(root / "train" / "loose.png")
    save(root / "train" / "cat" / "deep" / "1.PNG")
    for i in range(3):
        (root / "train" / "dog" / f"{i}.heic").write_bytes(b"x")
    data = opened(root)
    assert data.train_counts.tolist() == [3, 2]
    for line in (
        "not read, by its ending no image: 3 files, .heic (3)",
        "not read, beside the class folders: 1 image",
        "not read, without an image: empty/ (1 in all)",
        "in folders below their class's: 1 image",
    ):
        assert line in data.notes


@pytest.mark.parametrize(
    ("splits", "classes", "message"),
    [
        (("train",), ("a", "b"), r"holds train/, but no test/"),
        (("test",), ("a", "b"), r"holds test/, but no train/"),
        (("train", "test"), ("a",), r"holds one class, 'a': a classifier needs two"),
        (("train", "Train", "test"), ("a", "b"), r"holds Train/ and train/: keep one"),
        (
            ("pets/train", "pets/test"),
            ("a", "b"),
            r"pets looks like a data set, not a class",
        ),
        (("images", "labels"), ("a", "b"), r"images does not look like a class"),
        (("train", "test"), ("a", "train"), r"train/train does not look like a class"),
        ((), (), r"holds no folder with images"),
    ],
)
def test_layouts_that_cannot_be_told(tmp_path, splits, classes, message):
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match=message) as error:
        opened(tree(tmp_path / "data", splits, classes))
    assert "\n" not in str(error.value)


def test_a_class_of_test_alone_is_refused_and_one_of_train_alone_is_said(tmp_path):
    root = tree(tmp_path / "pets")
    save(root / "train" / "owl" / "1.png")
    assert "warning: no test image, so no recall: owl" in opened(root).notes
    save(root / "test" / "Owl" / "1.png")
    with pytest.raises(InputError, match=r"class 'Owl' \(did you mean 'owl'\?\) has 1 test images"):
        opened(root)


def test_links_in_a_circle_end(tmp_path):
    root = tree(tmp_path / "pets")
    (root / "train" / "cat" / "again").symlink_to(root / "train" / "cat")
    assert opened(root).train_counts.tolist() == [2, 2]


def test_transparent_parts_are_laid_on_white(tmp_path):
    root = tree(tmp_path / "pets")
    save(root / "train" / "cat" / "0.png", (0, 0, 0, 0), mode="RGBA")
    save(root / "train" / "cat" / "1.png", (255, 0, 0, 255), mode="RGBA")
    save(root / "train" / "dog" / "0.png", (0, 0), mode="LA")
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([9, 9, 9])
    palette.save(root / "train" / "dog" / "1.png", transparency=0)
    data = opened(root)
    assert data.train_images[:, 4, 4].tolist() == [WHITE, RED, WHITE, WHITE]
    assert "transparent in parts, laid on white: 3 images" in data.notes


def test_images_are_turned_as_their_exif_says(tmp_path):
    root = tree(tmp_path / "pets")
    picture = Image.new("RGB", (8, 8))
    picture.paste((255, 255, 255), (0, 0, 8, 4))  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise to be upright: white is on the right
    picture.save(root / "train" / "cat" / "0.png", exif=exif)
    data = opened(root, image_size=8)
    assert data.train_images[0, 4, 1].tolist() == [0, 0, 0]
    assert data.train_images[0, 4, 6].tolist() == WHITE
    assert "turned as their EXIF orientation says: 1 image" in data.notes


def test_frames_sizes_and_modes_are_said(tmp_path):
    root = tree(tmp_path / "pets")
    frames = [Image.new("L", (8, 8), shade) for shade in (7, 200)]
    frames[0].save(root / "train" / "cat" / "0.tiff", save_all=True, append_images=frames[1:])
    save(root / "train" / "dog" / "wide.jpg", size=(16, 8))
    data = opened(root)
    assert "several frames, of which the first is read: 1 image" in data.notes
    assert "not square, and stretched: 1 image" in data.notes
    assert "image sizes 8x8 (9), 16x8 (1), read as 32x32; modes RGB (9), L (1)" in data.notes


def test_too_many_pixels_are_called_that(tmp_path, monkeypatch):
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 50)
    root = tree(tmp_path / "pets", images=1)
    save(root / "train" / "cat" / "0.png", size=(20, 20))
    with pytest.raises(InputError, match=r"cat/0.png: has more than the 100 pixels that are read: shrink it"):
        opened(root)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a\x01"])
def test_files_that_are_not_whole_are_named(tmp_path, content):
    root = tree(tmp_path / "pets")
    (root / "test" / "dog" / "0.png").write_bytes(content)
    with pytest.raises(InputError, match=r"test/dog/0.png: not a readable image"):
        opened(root)


def test_names_that_are_not_utf_8(tmp_path):
    root = tree(tmp_path / "pets")
    for split in ("train", "test"):
        path = os.fsencode(root / split) + b"/caf\xe9"
        os.mkdir(path)
        shutil.copy(root / split / "cat" / "0.png", path + b"/1.png")
    assert opened(root).class_names == (r"caf\udce9", "cat", "dog")


def test_progress_is_told(tmp_path):
    told = []
    opened(tree(tmp_path / "pets"), progress=lambda done, total: told.append((done, total)))
    assert told == [(i, 8) for i in range(1, 9)]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    root = tree(tmp_path / "pets", images=20)
    code = (
        "import resource, signal\n"
        "from lt_core.data import load_dataset\nfrom lt_core.errors import InputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        f"try: load_dataset('folder:{root}', {str(tmp_path / 'd')!r})\n"
        "except InputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"cannot write decoded images under {tmp_path / 'd' / 'decoded'}: ")
    assert done.stdout.endswith("choose --data-dir\n")
    assert list((tmp_path / "d" / "decoded").iterdir()) == []


def test_a_long_tail_by_nature_and_a_name_that_means_something_elsewhere(tmp_path):
    root = tree(tmp_path / "digits")
    for i in range(5, 20):
        save(root / "train" / "cat" / f"{i}.png")
    data = opened(root)
    assert (data.name, data.long_tailed, data.flips, data.preset) == ("digits", True, True, None)


def test_sixteen_bit_images_are_refused_rather_than_clipped(tmp_path):
    for name in "ab":
        save(tmp_path / "tree" / name / "1.png", 3000, mode="I;16")
    with pytest.raises(InputError, match=r"a/1.png: image mode I;16: convert it to 8 bits a channel"):
        opened(tmp_path / "tree")


def test_the_held_out_fifth_is_said(tmp_path):
    for name in "ab":
        for i in range(10):
            save(tmp_path / "tree" / name / f"{i}.png", (i, 0, 0))
    data = opened(tmp_path / "tree")
    assert np.bincount(data.test_labels).tolist() == [2, 2]
    assert data.notes[0] == "one tree of classes; a fifth of each class is held out as test, 4 images"


def test_the_same_bytes_decode_the_same_from_a_path_and_from_memory(tmp_path):
    path = save(tmp_path / "1.jpg", (10, 20, 30))
    decoder = images.Decoder(None, 2)
    one, other = decoder.decode(path, "path"), decoder.decode(io.BytesIO(path.read_bytes()), "bytes")
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    "splits", [("train_set", "test_set"), ("Train-Images", "TestSet"), ("traindata", "val")]
)
def test_splits_with_a_word_more_are_splits(splits, tmp_path):
    data = opened(tree(tmp_path / "pets", splits))
    assert (data.class_names, len(data.train_labels), len(data.test_labels)) == (("cat", "dog"), 4, 4)


def test_what_looks_like_splits_under_other_names_is_no_tree_of_classes(tmp_path):
    tree(tmp_path / "scenes", ("seg_train", "seg_test", "seg_pred"))
    with pytest.raises(InputError, match="seg_test and seg_train look like splits, not classes: call them"):
        opened(tmp_path / "scenes")


def test_a_class_may_have_train_in_its_name(tmp_path):
    tree(tmp_path / "things", ("",), classes=("bullet_train", "test_tube"), images=10)
    assert opened(tmp_path / "things").class_names == ("bullet_train", "test_tube")


def test_a_pipe_is_not_waited_for(tmp_path):
    root = tree(tmp_path / "pets")
    os.mkfifo(root / "train" / "cat" / "z.png")
    assert "not read, pipes and the like: 1 name" in noted(opened(root))


def test_a_name_is_the_same_in_every_spelling_of_unicode(tmp_path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    root = tree(tmp_path / "places", classes=(composed, "dog"))
    (root / "test" / composed).rename(root / "test" / decomposed)
    assert opened(root).class_names == (composed, "dog")
    save(root / "train" / decomposed / "0.png", (1, 2, 3))
    with pytest.raises(InputError, match=f"train holds two folders {composed}, in two spellings of Unicode"):
        opened(root)
