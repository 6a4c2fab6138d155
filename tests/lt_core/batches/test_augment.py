import torch

from lt_core import seeds
from lt_core.batches.augment import Normalise, augment, random_crop

IMAGES = torch.randint(1, 256, (64, 8, 8, 3), generator=seeds.generator(0, "images")).to(torch.uint8)


def test_a_crop_is_a_window_of_the_padded_image_at_every_offset():
    cropped = random_crop(IMAGES, 1, seeds.generator(0, "crop"))
    padded = torch.nn.functional.pad(IMAGES, (0, 0, 1, 1, 1, 1))
    offsets = set()
    for image, whole in zip(cropped, padded, strict=True):
        windows = [(y, x) for y in range(3) for x in range(3) if (whole[y : y + 8, x : x + 8] == image).all()]
        assert len(windows) == 1
        offsets.add(windows[0])
    assert len(offsets) == 9


def test_about_half_the_images_are_flipped_whole():
    flipped = augment(IMAGES, "flip", seeds.generator(0, "flip"))
    mirrored = [(a == b.flip(1)).all().item() for a, b in zip(flipped, IMAGES, strict=True)]
    same = [(a == b).all().item() for a, b in zip(flipped, IMAGES, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 16 < sum(mirrored) < 48


def test_none_changes_nothing():
    assert (augment(IMAGES, "none", seeds.generator(0, "none")) == IMAGES).all()


def test_normalised_training_images_have_mean_0_and_deviation_1():
    batch = Normalise(IMAGES)(IMAGES)
    assert batch.shape == (64, 3, 8, 8)
    torch.testing.assert_close(batch.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
