"""report.html of a run: its figures, its words, and the page as a whole."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from edge_seg.dataset import Dataset, Sample, SplitPolicy
from edge_seg.images import write_image
from edge_seg.metrics import Scores
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg.synthetic import generate_dataset
from edge_seg_train.history import Epoch
from edge_seg_train.network import build_unet
from edge_seg_train.report import (
    extremes,
    flat,
    split_sentence,
    time_sentence,
    truth_shares,
    write_report,
)
from edge_seg_train.validation import ScoredPicture, ValidationSet

NAN = float("nan")

PARTS = ("waiting_seconds", "computing_seconds", "steps")


def epoch(number: int, *iou: float, waiting_seconds: float = 2.5) -> Epoch:
    return Epoch(number, 1.0, 0.5, Scores(iou or (0.5, 0.75), 0.9), 1e-3, 10.0, waiting_seconds)


def picture(name: str, hits: int, misses: int) -> ScoredPicture:
    confusion = np.array([[hits, misses], [0, 0]])
    return ScoredPicture(Sample(Path(name), Path("mask.png")), confusion, loss=0.0)


@pytest.mark.parametrize(
    ("hits", "worst", "best"),
    [
        ({}, "", ""),
        ({"a": 5}, "a", ""),
        ({"a": 5, "b": 3}, "b", "a"),
        ({"a": 5, "b": 3, "c": 9}, "ba", "c"),
        ({"a": 5, "b": 3, "c": 9, "d": 1, "e": 7}, "db", "ce"),
        ({"a": 5, "ignored": None, "b": 3}, "b", "a"),
    ],
)
def test_the_worst_and_the_best_pictures(hits: dict[str, int | None], worst: str, best: str) -> None:
    pictures = [picture(name, 0, 0) if n is None else picture(name, n, 10 - n) for name, n in hits.items()]
    shown = extremes(pictures, 2)
    assert ["".join(each.sample.name for each in side) for side in shown] == [worst, best]


def test_confusion_is_shared_out_by_truth() -> None:
    shares = truth_shares(np.array([[3, 1, 0], [0, 0, 0], [0, 5, 5]]))
    assert np.array_equal(shares, [[0.75, 0.25, 0], [NAN, NAN, NAN], [0, 0.5, 0.5]], equal_nan=True)


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ((0.02, 8.0, 40), "; one step: 0.5 ms waiting for pictures, 200 ms computing"),
        ((0.0, 4.0, 1), "; one step: 0.0 ms waiting for pictures, 4000 ms computing"),
        ((2.5, NAN, 0), ""),
    ],
)
def test_where_the_time_went(parts: tuple[float, float, int], where: str) -> None:
    epochs = [replace(epoch(number), **dict(zip(PARTS, parts, strict=True))) for number in (1, 2, 3)]
    epochs[0] = replace(epochs[0], computing_seconds=parts[1] * 9)  # it builds the graph
    assert time_sentence(epochs) == f"30 s in all, 10 s an epoch{where}."


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (SplitPolicy(seed=7), "The validation pictures were drawn at random (seed 7)."),
        (
            SplitPolicy(policy="stratified", grouped_by="near-duplicates"),
            "The validation pictures were drawn so that every class has its share in every split (seed 0); "
            "kept together in one split: near-duplicates.",
        ),
        (
            SplitPolicy(policy="given lists"),
            "The validation pictures were taken from lists that came with the pictures.",
        ),
        (SplitPolicy(policy="by hand"), "The validation pictures were divided by hand (seed 0)."),
    ],
)
def test_how_the_split_was_made(split: SplitPolicy, sentence: str) -> None:
    assert split_sentence(split) == sentence


def test_tables_in_tables_are_laid_flat() -> None:
    rows = flat({"device": "CPU", "packages": {"keras": "3"}, "jit": True, "epochs": 2})
    assert list(rows) == [("device", "CPU"), ("keras", "3"), ("jit", "true"), ("epochs", "2")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a network that has learned nothing, with pictures and folders with names that are trouble."""
    root = tmp_path_factory.mktemp("report")
    data = root / "d & <data>"
    split = SplitPolicy(val=0.5)
    generate_dataset(data, count=6, size=96, split=split, numbers=range(6))
    names = _rename_validation_pictures(data, "a <b> & \"{}'.png")
    dataset, folder = Dataset.open(data), RunFolder(root / os.fsdecode(b"r\xfe <run>"))
    config = RunConfig(data=data, width=96, height=96, alpha=0.35, encoder_weights="none", batch_size=2, epochs=9)
    folder.path.mkdir()
    build_unet(config, len(dataset.classes)).save(folder.best_model_path)
    write_image(folder.network_path, np.zeros((4, 4, 3), np.uint8))
    epochs = [epoch(1, 0.1, 0.2, NAN), epoch(2, 0.3, 0.4, NAN)]
    write_report(folder, epochs, config, dataset, ValidationSet(dataset, config, folder.path))
    assert len(names) == 3
    return folder.report_path.read_text(encoding="utf-8")


def _rename_validation_pictures(data: Path, pattern: str) -> list[str]:
    """Give the pictures of the validation split and their masks other names, and list those."""
    listed = data / "splits" / "val.txt"
    old = listed.read_text().split()
    new = [pattern.format(number) for number in range(len(old))]
    for before, after in zip(old, new, strict=True):
        for kind, suffix in (("images", Path(before).suffix), ("masks", ".png")):
            (data / kind / Path(before).with_suffix(suffix)).rename(data / kind / after)
    listed.write_text("\n".join(new))
    return new


def test_the_page_needs_no_other_file(page: str) -> None:
    sources = re.findall(r'(?:src|srcset|href)="([^"]{0,10})', page)
    assert len(sources) == 2 + 3 * 3 + 1
    assert all(source.startswith("data:image") for source in sources)
    assert len(page) < 2_000_000


def test_the_page_tells_what_was_measured(page: str) -> None:
    for expected in (
        "<b>0.350</b>validation mIoU",
        '2 <span class="soft">of 2</span></b>best epoch',
        "ended after 2 of 9 epochs",
        "The validation pictures were drawn at random (seed 0).",
        "Near-duplicates were not kept together",
        '<td class="n">0.400</td>',
        '<td class="n">–</td>',
        '<tr><td>batch_size</td><td class="long"><code>2</code></td></tr>',
        "20 s in all",
    ):
        assert expected in page


def test_pictures_rise_among_the_worst_and_fall_among_the_best(page: str) -> None:
    worst, best = (
        [float(score) for score in re.findall(r"<figcaption><b>([\d.]+)</b>", part)]
        for part in page.partition("<h3>The worst</h3>")[2].split("<h3>The best</h3>")
    )
    assert len(worst) == 2
    assert len(best) == 1
    assert worst == sorted(worst)
    assert best == sorted(best, reverse=True)


def test_names_that_are_trouble_are_shown_and_not_obeyed(page: str) -> None:
    assert {"a &lt;b&gt; &amp; &#34;0&#39;.png", "a &lt;b&gt; &amp; &#34;2&#39;.png"} <= set(
        re.findall(r"</b> (a .*?)</figcaption>", page)
    )
    assert r"<h1>r\xfe &lt;run&gt;</h1>" in page
    assert "d &amp; &lt;data&gt;" in page
    assert not re.search(r"<(b> &|run|data)", page)
