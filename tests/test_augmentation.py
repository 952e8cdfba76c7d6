"""Image and mask move together, and the same seed moves them the same way."""

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import numpy as np
import tensorflow as tf

from edge_seg_train.augmentation import augment, random_transform, recolour

IGNORE = 255


def quadrants() -> tuple[np.ndarray, np.ndarray]:
    """A picture whose grey level says which class its pixel has."""
    mask = np.zeros((80, 120), np.uint8)
    mask[:40, 60:], mask[40:, :60], mask[40:, 60:] = 1, 2, 3
    return np.repeat((mask * 60 + 40)[..., None], 3, axis=2).astype(np.uint8), mask


@pytest.mark.parametrize("seed", [(0, 1), (2, 3), (4, 5), (6, 7)])
def test_image_and_mask_move_together(seed: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_seg_train.augmentation.recolour", lambda image, _: image)
    image, mask = augment(*quadrants(), tf.constant(seed, tf.int64), 64, 96, IGNORE)
    image, mask = image.numpy(), mask.numpy()
    assert image.shape == (64, 96, 3)
    assert mask.shape == (64, 96)
    counted = mask != IGNORE
    wrong = np.abs(image[..., 0].astype(int) - (mask.astype(int) * 60 + 40))[counted] > 31
    assert counted.mean() > 0.5
    # Bilinear and nearest differ along class edges only.
    assert wrong.mean() < 0.06


def test_same_seed_same_result_other_seed_another() -> None:
    results = [
        augment(*quadrants(), tf.constant(seed, tf.int64), 64, 96, IGNORE)[0] for seed in ((1, 2), (1, 2), (3, 4))
    ]
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_outside_the_picture_is_ignored() -> None:
    masks = [augment(*quadrants(), tf.constant((n, n), tf.int64), 64, 96, IGNORE)[1].numpy() for n in range(12)]
    assert all(set(np.unique(mask)) <= {0, 1, 2, 3, IGNORE} for mask in masks)
    assert any((mask == IGNORE).any() for mask in masks)


def test_half_of_the_transforms_mirror() -> None:
    transforms = [random_transform(tf.constant((n, 0), tf.int64), 80, 120, 64, 96).numpy() for n in range(200)]
    mirrored = np.mean([t[0] * t[4] - t[1] * t[3] < 0 for t in transforms])
    assert 0.35 < mirrored < 0.65


def test_recolour_keeps_shape_and_varies() -> None:
    image = tf.random.stateless_uniform((8, 8, 3), (0, 0))
    changed = [recolour(image, tf.constant((n, n), tf.int64)).numpy() for n in range(3)]
    assert all(item.shape == (8, 8, 3) for item in changed)
    assert not np.allclose(changed[0], changed[1])
