"""Masks beside their edges, and masks of other pictures."""

import pickle
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from edge_seg.dataset.alignment import (
    Alignment,
    Shift,
    align,
    better_partners,
    better_shift,
    common_shift,
    moved_masks,
)
from edge_seg.images import ClassMap
from edge_seg.synthetic import generate_picture

COUNT, SIZE = 40, 96


@pytest.fixture(scope="module")
def scenes():
    return [generate_picture(SIZE, seed=7, number=number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def alignments(scenes) -> list[Alignment]:
    return [aligned(image, mask) for image, mask in scenes]


def aligned(image, mask) -> Alignment:
    found = align(image, mask)
    assert found is not None
    return found


def moved(mask: ClassMap, right: float, down: float) -> ClassMap:
    matrix = np.array([[1, 0, right * SIZE], [0, 1, down * SIZE]], np.float32)
    size, border = (SIZE, SIZE), cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_NEAREST, borderMode=border), np.uint8)


def with_masks_of(alignments: Sequence[Alignment], order: Sequence[int]) -> list[Alignment]:
    """As if picture i had the mask of picture `order[i]`."""
    return [
        Alignment(item.fits, item.edges, alignments[other].outlines)
        for item, other in zip(alignments, order, strict=True)
    ]


def test_masks_in_place_are_left_alone(alignments) -> None:
    assert [better_shift(item) for item in alignments] == [None] * COUNT
    assert (moved_masks(alignments), better_partners(alignments), common_shift(alignments)) == ({}, {}, None)


@pytest.mark.parametrize(("right", "down"), [(0.08, 0), (0, -0.08), (-0.06, 0.06), (0.05, 0.02)])
def test_a_moved_mask_is_moved_back(scenes, alignments, right: float, down: float) -> None:
    spoiled = list(alignments)
    for index in (3, 8, 21):
        image, mask = scenes[index]
        spoiled[index] = aligned(image, moved(mask, right, down))
    shifts = moved_masks(spoiled)
    assert set(shifts) == {3, 8, 21}
    for shift in shifts.values():
        assert (shift.right, shift.down) == pytest.approx((-right, -down), abs=0.02)


def test_a_shift_of_all_masks_is_one_finding(scenes) -> None:
    spoiled = [aligned(image, moved(mask, 0.05, 0)) for image, mask in scenes]
    shift = common_shift(spoiled)
    assert isinstance(shift, Shift)
    assert (shift.right, shift.down) == pytest.approx((-0.05, 0), abs=0.016)


def test_of_masks_that_follow_no_edges_none_is_reported(scenes) -> None:
    unrelated = [aligned(image, scenes[index - 7][1]) for index, (image, _) in enumerate(scenes)]
    assert sum(better_shift(item) is not None for item in unrelated) > 0
    assert moved_masks(unrelated) == {}
    assert common_shift(unrelated) is None


def test_exchanged_masks_are_found_with_their_owners(alignments) -> None:
    order = list(range(COUNT))
    order[4], order[9], order[30], order[2] = 9, 4, 2, 30
    assert better_partners(with_masks_of(alignments, order)) == {4: 9, 9: 4, 30: 2, 2: 30}


def test_masks_that_slid_along_a_list_are_a_ring(alignments) -> None:
    order = np.roll(range(COUNT), 1).tolist()
    partners = better_partners(with_masks_of(alignments, order))
    assert partners == {picture: (picture + 1) % COUNT for picture in range(COUNT)}


@pytest.mark.parametrize(("rival", "better"), [(13, 9), (20, 9), (3, 3)])
def test_a_picture_gets_the_better_of_two_masks_that_fit_it(alignments, rival: int, better: int) -> None:
    """Both are the mask of picture 4; the better one fits the picture it is with the worse."""
    order = list(range(COUNT))
    order[4], order[9], order[rival] = 9, 4, 4
    assert better_partners(with_masks_of(alignments, order)) == {4: better, 9: 4}


def test_too_few_to_compare(alignments) -> None:
    few = with_masks_of(alignments[:10], [1, 0, *range(2, 10)])
    assert better_partners(few) == {}
    assert common_shift(few) is None
    assert moved_masks([]) == {}


@pytest.mark.parametrize(
    "mask",
    [np.zeros((SIZE, SIZE)), np.full((SIZE, SIZE), 3), np.pad(np.ones((2, 2)), ((40, SIZE - 42),) * 2)],
)
def test_too_little_outline_tells_nothing(scenes, mask) -> None:
    assert align(scenes[0][0], mask.astype(np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3000, 2), (700, 900)])
def test_any_size_and_any_content(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    for mask in (rng.integers(0, 256, shape, dtype=np.uint8), np.zeros(shape, np.uint8)):
        found = align(image, mask)
        assert found is None or np.isfinite(found.fits).all()


def test_a_flat_picture_has_no_edges(scenes) -> None:
    found = aligned(np.full((SIZE, SIZE, 3), 90, np.uint8), scenes[0][1])
    assert better_shift(found) is None
    assert not found.edges.any()


def test_little_is_kept(alignments) -> None:
    assert len(pickle.dumps(alignments[0])) < 4000
