import numpy as np
import pytest
import torch

from lt_core import seeds
from lt_core.batches.augment import Draws, Normalise, augment, crop, cut_out
from lt_core.batches.batches import Batches
from lt_core.config import TrainConfig

IMAGES = torch.randint(1, 256, (64, 8, 8, 3), generator=seeds.generator(0, "images")).to(torch.uint8)


def epoch(number=1, **knobs):
    """Return the images of an epoch in their own order, uint8 [64, 8, 8, 3], as they are varied."""
    config = TrainConfig(batch_size=24, **knobs)
    drawn = Batches(IMAGES, torch.zeros(64).long(), config, 1).epoch("instance", config.augment, number)
    varied = torch.cat([augment(IMAGES[batch.indices], batch.draws, config) for batch in drawn])
    return varied[torch.cat([batch.indices for batch in drawn]).argsort()]


@pytest.mark.parametrize(("mode", "theirs"), [("zeros", "constant"), ("reflect", "reflect")])
def test_a_crop_is_a_window_of_the_padded_image_at_every_offset(mode, theirs):
    cropped = epoch(augment="crop", crop_padding=mode)
    padded = np.pad(IMAGES.numpy(), ((0, 0), (1, 1), (1, 1), (0, 0)), mode=theirs)
    offsets = set()
    for image, whole in zip(cropped.numpy(), padded, strict=True):
        windows = [(y, x) for y in range(3) for x in range(3) if (whole[y : y + 8, x : x + 8] == image).all()]
        assert len(windows) == 1
        offsets.add(windows[0])
    assert len(offsets) == 9


def test_a_crop_is_cut_at_its_corner():
    padded = np.pad(IMAGES.numpy(), ((0, 0), (2, 2), (2, 2), (0, 0)))
    corner = torch.tensor([[0] * 32 + [3] * 32, [4] * 32 + [1] * 32])
    cut = crop(IMAGES, corner, 2, "zeros").numpy()
    assert (cut[:32] == padded[:32, 0:8, 4:12]).all()
    assert (cut[32:] == padded[32:, 3:11, 1:9]).all()


def flips(images):
    """Return which images are mirrored, bool [64]; the others are as they were."""
    mirrored = torch.tensor([(a == b.flip(1)).all() for a, b in zip(images, IMAGES, strict=True)])
    same = torch.tensor([(a == b).all() for a, b in zip(images, IMAGES, strict=True)])
    assert torch.equal(mirrored, ~same)
    return mirrored


def test_about_half_the_images_are_flipped_whole():
    assert 16 < flips(epoch(augment="flip")).sum() < 48


def test_flips_alternate_from_epoch_to_epoch():
    first, second, third = (flips(epoch(i, augment="flip", alternate_flips=True)) for i in (1, 2, 3))
    assert 16 < first.sum() < 48
    assert torch.equal(first, ~second)
    assert torch.equal(first, third)


def test_none_changes_nothing():
    assert (augment(IMAGES, Draws(), TrainConfig()) == IMAGES).all()


def test_a_cut_out_is_a_square_around_its_centre_within_the_image():
    ones = torch.ones(2, 3, 8, 8)
    cut = cut_out(ones, torch.tensor([[4, 0], [3, 7]]), 0.5)
    first, second = torch.ones(8, 8), torch.ones(8, 8)
    first[2:6, 1:5] = 0
    second[0:2, 5:8] = 0
    assert torch.equal(cut[0], first.expand(3, 8, 8))
    assert torch.equal(cut[1], second.expand(3, 8, 8))


def test_trivial_augment_varies_each_image_by_itself_and_repeatably():
    def varied():
        torch.manual_seed(3)
        return augment(IMAGES, Draws(), TrainConfig(trivial_augment=True))

    once = varied()
    assert once.shape == IMAGES.shape
    assert once.dtype == torch.uint8
    assert torch.equal(once, varied())
    changed = sum(not torch.equal(a, b) for a, b in zip(once, IMAGES, strict=True))
    assert 32 < changed < 64  # one operation of 14 is the identity, and others have it as an end


def test_normalised_training_images_have_mean_0_and_deviation_1():
    batch = Normalise(IMAGES)(IMAGES)
    assert batch.shape == (64, 3, 8, 8)
    torch.testing.assert_close(batch.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
