"""Splits keep groups whole and classes in proportion; `edge-seg data split` replaces them all at once."""

import json
import random
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from edge_seg.classes import make_classes
from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy, split_lists
from edge_seg.dataset.checks import check_dataset
from edge_seg.dataset.division import divide_by_groups
from edge_seg.dataset.split_lists import given_split, replace_splits
from edge_seg.dataset.splitting import grouped_split, same_key_pairs, wanted_counts
from edge_seg.errors import DatasetError
from edge_seg.images import RgbImage


def consecutive(sizes: list[int]) -> list[tuple[int, ...]]:
    """Groups of these sizes, of pictures numbered in order."""
    ends = np.cumsum(sizes)
    return [tuple(range(end - size, end)) for end, size in zip(ends, sizes, strict=True)]


def numbered(count: int) -> list[str]:
    return [f"{number:04}.jpg" for number in range(count)]


def homes(parts: dict[str, list[str]]) -> dict[str, str]:
    return {name: split for split, names in parts.items() for name in names}


SHARES = st.sampled_from([(0.2, 0.0), (0.2, 0.1), (0.5, 0.2), (0.0, 0.3), (0.0, 0.0)])
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=40)


@given(SIZES, SHARES, st.integers(0, 5), st.integers(0, 9))
def test_no_group_is_split_and_no_picture_lost(sizes, shares, seed: int, picture_seed: int) -> None:
    count = sum(sizes)
    presence = np.random.default_rng(picture_seed).random((count, 3)) < 0.4
    policy = SplitPolicy(val=shares[0], test=shares[1], seed=seed)
    parts = grouped_split(numbered(count), presence, consecutive(sizes), policy)
    assert sorted(name for names in parts.values() for name in names) == numbered(count)
    home = homes(parts)
    assert all(len({home[f"{item:04}.jpg"] for item in group}) == 1 for group in consecutive(sizes))
    wanted = wanted_counts(count, policy)
    assert all(len(parts[split]) <= wanted[split] for split in parts if split != "train")


@given(SIZES, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_files_makes_no_difference(sizes, seed: int, shuffler: random.Random) -> None:
    count = sum(sizes)
    presence = np.random.default_rng(0).random((count, 3)) < 0.4
    policy = SplitPolicy(seed=seed, test=0.1)
    expected = grouped_split(numbered(count), presence, consecutive(sizes), policy)
    order = shuffler.sample(range(count), count)
    place = {item: index for index, item in enumerate(order)}
    groups = [tuple(place[item] for item in group) for group in consecutive(sizes)]
    shuffler.shuffle(groups)
    names = [f"{item:04}.jpg" for item in order]
    assert grouped_split(names, presence[order], groups, policy) == expected


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=60, max_size=90), st.integers(0, 99))
def test_small_groups_give_every_split_and_class_its_share(sizes: list[int], seed: int) -> None:
    sizes = [*sizes, *[1] * 40]
    count = sum(sizes)
    presence = np.random.default_rng(seed).random((count, 4)) < (1, 0.6, 0.3, 0.1)
    parts = grouped_split(numbered(count), presence, consecutive(sizes), SplitPolicy(val=0.2, test=0.1, seed=seed))
    wanted = wanted_counts(count, SplitPolicy(val=0.2, test=0.1))
    assert all(abs(len(parts[split]) - wanted[split]) <= 3 for split in wanted)
    for names in parts.values():
        held = presence[[int(name[:4]) for name in names]].sum(axis=0)
        fair = presence.sum(axis=0) * len(names) / count
        assert np.abs(held - fair).max() <= 6  # pictures, with groups of up to four


def test_seeds_differ() -> None:
    arguments = numbered(100), np.ones((100, 1), bool), consecutive([1] * 100)
    assert grouped_split(*arguments, SplitPolicy(seed=0)) != grouped_split(*arguments, SplitPolicy(seed=1))


@pytest.mark.parametrize(
    ("holding", "splits"),
    [(1, ["train"]), (2, ["train", "val"]), (3, ["test", "train", "val"]), (10, ["test", "train", "val"])],
)
def test_a_rare_class_reaches_as_many_splits_as_it_can(holding: int, splits: list[str]) -> None:
    presence = np.zeros((100, 2), bool)
    presence[:, 0] = True
    presence[:holding, 1] = True
    policy = SplitPolicy(val=0.2, test=0.1)
    home = homes(grouped_split(numbered(100), presence, consecutive([1] * 100), policy))
    assert sorted({home[name] for name in numbered(holding)}) == splits


@pytest.mark.parametrize("big", [21, 60, 100])
def test_a_group_larger_than_a_split_trains(big: int) -> None:
    sizes = [big, *[1] * (100 - big)]
    parts = grouped_split(numbered(100), np.ones((100, 1), bool), consecutive(sizes), SplitPolicy(val=0.2))
    assert set(numbered(big)) <= set(parts["train"])
    assert len(parts.get("val", [])) == min(20, 100 - big)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^video\d", [(0, 1)]),
        (r"_(\d+)\.", [(0, 2)]),
        (r"(?:_(\d+))?\.jpg", [(0, 2)]),  # the group took no part in the match of the others
        ("nothing", []),
    ],
)
def test_names_with_one_key_belong_together(pattern: str, expected: list[tuple[int, int]]) -> None:
    names = ["video1_07.jpg", "video1_08.jpg", "video2_07.jpg", "other.jpg"]
    assert list(same_key_pairs(names, re.compile(pattern))) == expected


NAMES = ["a.jpg", "b.jpg", "c.png", "d.jpg"]


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"val": "b.jpg\n"}, {"train": ["a.jpg", "c.png", "d.jpg"], "val": ["b.jpg"]}),
        ({"val": "c\n\nimages/b.jpg", "test": "d"}, {"train": ["a.jpg"], "val": ["b.jpg", "c.png"], "test": ["d.jpg"]}),
        ({"train": "a", "val": "d"}, {"train": ["a.jpg"], "val": ["d.jpg"]}),
    ],
)
def test_given_lists(tmp_path: Path, lists: dict[str, str], expected: dict[str, list[str]]) -> None:
    assert given_split(NAMES, written(tmp_path, lists)) == expected


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"val": "a\nx.jpg"}, r"val\.txt: 'x\.jpg' is no picture"),
        ({"val": "a\na.jpg"}, r"'a\.jpg' is in val already"),
        ({"val": "a", "test": "b\na"}, r"test\.txt: 'a' is in val already"),
        ({"val": "\n"}, r"val\.txt: names no picture"),
        ({"val": "a\nb\nc\nd"}, "leave no picture to train on"),
        ({"val": "\xff"}, "is not UTF-8"),
    ],
)
def test_bad_lists(tmp_path: Path, lists: dict[str, str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        given_split(NAMES, written(tmp_path, lists))


def written(folder: Path, lists: dict[str, str]) -> dict[str, Path]:
    for split, text in lists.items():
        (folder / f"{split}.txt").write_text(text, encoding="latin-1")
    return {split: folder / f"{split}.txt" for split in lists}


def scene(seed: int) -> RgbImage:
    numbers = np.random.default_rng(seed)
    image = cv2.resize(numbers.integers(0, 255, (12, 16, 3), dtype=np.uint8), (160, 120))
    for x, y, size in numbers.integers((0, 0, 6), (160, 120, 30), (40, 3)).tolist():
        cv2.rectangle(image, (x, y), (x + size, y + size), numbers.integers(0, 255, 3).tolist(), -1)
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve scenes of three crops each; every fourth scene holds a leaf."""
    with DatasetWriter(tmp_path / "set", name="set", classes=make_classes(["background", "leaf"])) as writer:
        for number in range(36):
            image = scene(number % 12)[4 * (number // 12) :, :]
            mask = np.zeros(image.shape[:2], np.uint8)
            mask[:9] = number % 4 == 0
            writer.add_array(f"p{number:02}.png", image, mask)
    return tmp_path / "set"


@pytest.fixture(scope="module")
def app():
    return build_app("data")


@pytest.fixture
def run(app):
    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", "split", *map(str, words)])

    return invoke


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listed(folder: Path) -> dict[str, list[str]]:
    return {path.stem: path.read_text().splitlines() for path in (folder / "splits").glob("*.txt")}


def test_split_keeps_the_copies_together(run, folder: Path) -> None:
    result = run(folder, "--val", 0.25, "--test", 0.25, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert "12 groups of near-duplicates (36 pictures) kept together; the largest holds 3" in result.stdout
    splits = listed(folder)
    assert {split: len(names) for split, names in splits.items()} == {"train": 18, "val": 9, "test": 9}
    scenes = [{int(name[1:3]) % 12 for name in names} for names in splits.values()]
    assert sum(map(len, scenes)) == len(set.union(*scenes)) == 12
    assert all(scene_numbers & {0, 4, 8} for scene_numbers in scenes)  # the leaf is in every split
    expected = SplitPolicy(policy="stratified", grouped_by="near-duplicates", seed=3, val=0.25, test=0.25)
    assert Dataset.open(folder).manifest.split == expected
    assert not check_dataset(Dataset.open(folder)).errors
    assert {path.name for path in folder.iterdir()} == {"dataset.toml", "images", "masks", "splits"}


def test_split_again_gives_the_same(run, folder: Path) -> None:
    assert run(folder, "--seed", 1).exit_code == 0
    first = contents(folder)
    assert run(folder, "--seed", 1).exit_code == 0
    assert contents(folder) == first


def test_json_and_dry_run(run, folder: Path) -> None:
    before = contents(folder)
    result = run(folder, "--dry-run", "--json", "--group-pattern", r"p(\d)", "--no-similar")
    content = json.loads(result.stdout)
    assert content["written"] is False
    assert content["policy"]["grouped_by"] == r"names that share p(\d)"
    assert [len(group) for group in content["groups"]] == [10, 10, 10, 6]
    assert content["splits"]["val"] == {
        "pictures": 6,
        "groups": 1,
        "pictures_per_class": {"background": 6, "leaf": 1},
    }
    assert "val has 6 pictures in place of 7, as groups stay whole" in content["remarks"]
    assert contents(folder) == before


def test_given_lists_replace_the_splits(run, folder: Path, tmp_path: Path) -> None:
    lists = written(tmp_path, {"train": "p00\np01\n", "val": "p02.png\n"})
    assert run(folder, "--test", 0.1).exit_code == 0
    result = run(folder, *[word for split, path in lists.items() for word in ("--list", f"{split}={path}")])
    assert result.exit_code == 0, result.output
    assert "33 pictures are in no list and so in no split, first 'p03.png'" in result.stdout
    assert "there is no test split any more" in result.stdout
    assert listed(folder) == {"train": ["p00.png", "p01.png"], "val": ["p02.png"]}
    assert Dataset.open(folder).manifest.split == SplitPolicy(policy="given lists", val=0.3333, test=0)


def test_a_picture_without_mask_is_said(run, folder: Path) -> None:
    (folder / "masks" / "p05.png").unlink()
    result = run(folder)
    assert "1 picture has no mask and so no split, first 'p05.png'" in result.stdout
    assert "p05.png" not in homes(listed(folder))


def test_one_group_for_all_leaves_no_validation(run, folder: Path) -> None:
    before = contents(folder)
    result = run(folder, "--group-pattern", "p", "--no-similar")
    assert result.exit_code == 1
    assert "no group of pictures is small enough for the 7 of the split 'val'" in result.stderr
    assert contents(folder) == before


def test_no_grouping_is_said(run, folder: Path) -> None:
    assert "near-duplicates may be in two splits" in run(folder, "--no-similar").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--group-pattern", "("], "no regular expression"),
        (["--list", "val"], "SPLIT=FILE"),
        (["--list", "holdout=x.txt"], "SPLIT=FILE"),
        (["--list", "val=x", "--list", "val=y"], "SPLIT=FILE"),
        (["--list", "val=x", "--seed", "1"], "--seed has no effect"),
        (["--val", "0.6", "--test", "0.5"], "nothing to train on"),
    ],
)
def test_words_that_do_not_fit(run, folder: Path, words: list[str], message: str) -> None:
    result = run(folder, *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


SPOILED = {
    "undecodable": (lambda folder: (folder / "images" / "p03.png").write_bytes(b"x"), r"p03\.png: not an image"),
    "other list": (lambda folder: (folder / "splits" / "holdout.txt").write_text("p01.png"), r"holdout\.txt: is none"),
    "no picture": (
        lambda folder: [path.unlink() for path in (folder / "masks").iterdir()],
        "holds no picture that has a mask",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILED.values(), ids=SPOILED.keys())
def test_what_cannot_be_divided_stays_as_it_is(run, folder: Path, spoil, message: str) -> None:
    spoil(folder)
    before = contents(folder)
    result = run(folder)
    assert result.exit_code == 1
    assert re.search(message, result.stderr)
    assert contents(folder) == before


def test_a_failure_in_between_brings_the_old_splits_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(split_lists, "write_manifest", full)
    with pytest.raises(OSError, match="No space"):
        replace_splits(Dataset.open(folder), {"train": ["p00.png"]}, SplitPolicy(policy="new"))
    assert contents(folder) == before


def test_leftovers_of_a_killed_run_do_no_harm(run, folder: Path) -> None:
    (folder / "splits").rename(folder / ".splits.old")
    (folder / ".splits.part").mkdir()
    with pytest.raises(DatasetError, match="no such split"):
        Dataset.open(folder).samples("train")
    assert run(folder).exit_code == 0
    assert sum(map(len, listed(folder).values())) == 36
    assert not list(folder.glob(".splits*"))


@pytest.mark.shared
def test_real_video_frames_stay_together(shared_dir: Path, tmp_path: Path) -> None:
    files = {path.stem: path for path in (shared_dir / "data" / "fire").rglob("*.jpg")}
    wanted = [f"img({number})" for number in (*range(151, 161), *range(361, 371), 200, 214, 250, 300, 31, 46)]
    with DatasetWriter(tmp_path / "fire", name="fire", classes=make_classes(["background", "fire"])) as writer:
        for stem in wanted:
            writer.add_file(files[stem], np.zeros((4, 4), np.uint8))
    division = divide_by_groups(Dataset.open(tmp_path / "fire"), SplitPolicy())
    videos = sorted((set(group) for group in division.groups), key=min)
    assert [len(video) for video in videos] == [10, 10]
