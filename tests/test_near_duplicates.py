"""Pictures of one scene are found, whatever was done to the copy; others are not."""

import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_seg.dataset.candidates import alike_as_a_whole, neighbours, sharing_words
from edge_seg.dataset.near_duplicates import Fingerprint, Pair, fingerprint, fingerprint_file, groups, similar_pairs
from edge_seg.errors import ImageError
from edge_seg.images import IMAGE_SUFFIXES, RgbImage, write_image


def scene(seed: int, height: int = 240, width: int = 320) -> RgbImage:
    """A picture full of corners: rectangles and discs of all colours and sizes."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), random.integers(0, 255, 3), np.uint8)
    for _ in range(60):
        x, y, size = (int(value) for value in random.integers((0, 0, 8), (width, height, 50)))
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        if random.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + size, y + size // 2), colour, -1)
        else:
            cv2.circle(image, (x, y), size // 2, colour, -1)
    return image


def turned(image: RgbImage, degrees: float) -> RgbImage:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height))


def recompressed(image: RgbImage, quality: int) -> RgbImage:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


Change = Callable[[RgbImage], RgbImage]
CHANGES: dict[str, Change] = {
    "turned with black corners": lambda image: turned(image, 15),
    "turned right": np.rot90,
    "upside down": lambda image: np.rot90(image, 2),
    "cropped": lambda image: image[20:-28, 30:-34],
    "mirrored": lambda image: image[:, ::-1],
    "mirrored, cropped and turned": lambda image: turned(image[10:-20, ::-1], -10),
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=1.3, beta=10),
    "recompressed": lambda image: recompressed(image, 40),
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 1.5),
    "half as large": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "in white bars": lambda image: cv2.copyMakeBorder(image, 60, 60, 0, 0, cv2.BORDER_CONSTANT, value=(255,) * 3),
}


@pytest.fixture(scope="module")
def others() -> list[Fingerprint]:
    return [fingerprint(scene(seed)) for seed in range(1, 13)]


def test_different_scenes_are_no_pair(others: list[Fingerprint]) -> None:
    assert similar_pairs(others) == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_copy_is_found(change: Change, others: list[Fingerprint]) -> None:
    copy = np.ascontiguousarray(change(scene(0)))
    (pair,) = similar_pairs([fingerprint(scene(0)), *others, fingerprint(copy)])
    assert (pair.first, pair.second, pair.exact) == (0, len(others) + 1, False)
    assert 0.45 <= pair.similarity <= 1


def test_a_mirrored_copy_is_told_as_such(others: list[Fingerprint]) -> None:
    (pair,) = similar_pairs([fingerprint(scene(0)), *others, fingerprint(np.ascontiguousarray(scene(0)[:, ::-1]))])
    assert pair.mirrored


def test_equal_pixels_are_exact_even_where_there_is_nothing_to_see() -> None:
    grey, taller = np.full((50, 60, 3), 9, np.uint8), np.full((60, 50, 3), 9, np.uint8)
    pairs = similar_pairs([fingerprint(item) for item in (grey, taller, grey, grey)])
    assert pairs == [Pair(0, 2, exact=True, similarity=1.0), Pair(0, 3, exact=True, similarity=1.0)]


def test_a_flat_picture_is_like_no_other() -> None:
    flat = [np.full((240, 320, 3), value, np.uint8) for value in (0, 90, 91)]
    assert similar_pairs([fingerprint(image) for image in (flat[0], scene(0), flat[1], flat[2])]) == []


def test_white_bars_alone_make_no_pair() -> None:
    bars = [cv2.copyMakeBorder(scene(seed), 120, 120, 0, 0, cv2.BORDER_CONSTANT, value=(255,) * 3) for seed in range(8)]
    assert similar_pairs([fingerprint(image) for image in bars]) == []


def test_frames_of_a_long_video_make_one_group() -> None:
    wide = scene(0, height=240, width=640)
    frames = [fingerprint(np.ascontiguousarray(wide[:, left : left + 320])) for left in range(0, 320, 8)]
    pairs = similar_pairs(frames)
    assert len(pairs) == len(frames) - 1  # a tree, not every pair
    assert len(groups(len(frames), [(pair.first, pair.second) for pair in pairs])) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 3), (33, 33), (20, 700)])
def test_any_size_has_a_fingerprint(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert similar_pairs([fingerprint(image), fingerprint(image)]) == [Pair(0, 1, exact=True, similarity=1.0)]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_compare(count: int, others: list[Fingerprint]) -> None:
    assert similar_pairs(others[:count]) == []


def test_a_fingerprint_is_small() -> None:
    assert len(pickle.dumps(fingerprint(scene(0)))) < 12_000


def test_a_file_and_its_pixels_have_one_fingerprint(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", scene(0))
    assert fingerprint_file(tmp_path / "a.png").digest == fingerprint(scene(0)).digest
    with pytest.raises(ImageError, match="no such image"):
        fingerprint_file(tmp_path / "b.png")


PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14)


@given(PAIRS, st.randoms(use_true_random=False))
def test_groups_are_the_connected_components(pairs: list[tuple[int, int]], random) -> None:
    found = groups(12, pairs)
    assert sorted(item for group in found for item in group) == list(range(12))
    home = {item: number for number, group in enumerate(found) for item in group}
    assert all(home[first] == home[second] for first, second in pairs)
    assert len(found) >= 12 - len(pairs)
    shuffled = [pair[:: random.choice((1, -1))] for pair in random.sample(pairs, len(pairs))]
    assert groups(12, shuffled) == found


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], [(0,), (1,), (2,), (3,)]),
        ([(2, 0)], [(0, 2), (1,), (3,)]),
        ([(3, 2), (1, 0), (2, 1)], [(0, 1, 2, 3)]),
    ],
)
def test_groups(pairs: list[tuple[int, int]], expected: list[tuple[int, ...]]) -> None:
    assert groups(4, pairs) == expected


def test_shared_words_are_counted_across_words() -> None:
    random = np.random.default_rng(0)
    plain = [random.integers(0, 255, (20, 32), dtype=np.uint8) for _ in range(4)]
    mirrored = [random.integers(0, 255, (20, 32), dtype=np.uint8) for _ in range(4)]
    plain[3][:4, :8] = plain[1][:4, :8]  # two words of four descriptors
    mirrored[2][:2, 8:20] = plain[0][:2, 8:20]  # three words of two
    mirrored[1][9:18] = mirrored[0][9:18]  # says nothing that the plain ones would not say
    assert sharing_words(plain, mirrored) == [(1, 3, False), (0, 2, True)]


def test_pictures_without_features_share_nothing() -> None:
    nothing = [np.zeros((0, 32), np.uint8)] * 3
    assert sharing_words(nothing, nothing) == []


def test_a_mirror_image_is_alike_as_a_whole() -> None:
    thumbnails = [cv2.resize(cv2.cvtColor(scene(seed), cv2.COLOR_RGB2GRAY), (48, 48)) for seed in range(3)]
    assert set(alike_as_a_whole([*thumbnails, thumbnails[1][:, ::-1], thumbnails[2]])) == {(1, 3, True), (2, 4, False)}


@settings(max_examples=20)
@given(st.integers(0, 9))
def test_neighbours(count: int) -> None:
    expected = {(a, b, False) for a in range(count) for b in range(a + 1, count) if b - a <= 2}
    assert set(neighbours(count)) == expected


@pytest.mark.shared
def test_real_video_frames_and_copies(shared_dir: Path) -> None:
    fire, pets = shared_dir / "data" / "fire", shared_dir / "data" / "pets"
    frames = [_found(fire, f"img({number})") for number in (151, 152, 153, 200)]
    twins = [_found(pets, stem) for stem in ("Abyssinian_122", "Abyssinian_172", "Bengal_83")]
    prints = [fingerprint_file(path) for path in frames + twins]
    pairs = [(pair.first, pair.second) for pair in similar_pairs(prints)]
    assert groups(7, pairs) == [(0, 1, 2), (3,), (4, 5), (6,)]


def _found(folder: Path, stem: str) -> Path:
    (path,) = (path for path in folder.rglob("*.*") if path.stem == stem and path.suffix in IMAGE_SUFFIXES - {".png"})
    return path
