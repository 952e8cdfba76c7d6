"""What a run shows on a terminal, and where there is none."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from edge_seg.classes import make_classes
from edge_seg.dataset.manifest import Manifest, write_manifest
from edge_seg.metrics import Scores
from edge_seg.run_config import RunConfig
from edge_seg_train.history import Epoch
from edge_seg_train.live_table import TerminalProgress
from edge_seg_train.run_view import (
    RunView,
    clock_time,
    epoch_columns,
    remaining_seconds,
    shown_epochs,
    worst_class,
)

NAN = float("nan")
FIVE = ("background", "leaf", "stone", "a name that is very long indeed", "[bold]tag")


def epoch(number: int, *iou: float) -> Epoch:
    return Epoch(number, 1.0, 0.5, Scores(iou or (0.5, 0.7), 0.9), 1e-3, 10.0, 0.1)


def drawn(view: RunView, width: int, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(view)
    return captured.get().rstrip("\n").split("\n")


def view_of(epochs: list[Epoch], names: tuple[str, ...] = ("background", "leaf"), now: float = 0.0) -> RunView:
    times = iter([0.0])
    return RunView(names, 20, 50, lambda: next(times, now), epochs=epochs)


@pytest.mark.parametrize(
    ("mious", "most", "numbers"),
    [
        ([0.1], 3, [1]),
        ([0.1, 0.2, 0.3], 3, [1, 2, 3]),
        ([0.1, 0.2, 0.3, 0.4], 3, [2, 3, 4]),
        ([0.9, 0.2, 0.3, 0.4], 3, [1, 3, 4]),
        ([0.9, 0.2, 0.3], 1, [3]),
    ],
)
def test_the_last_epochs_are_shown_and_the_best(mious: list[float], most: int, numbers: list[int]) -> None:
    epochs = [epoch(number, miou) for number, miou in enumerate(mious, start=1)]
    assert [each.number for each in shown_epochs(epochs, most)] == numbers


@pytest.mark.parametrize(
    ("iou", "names", "width", "headings"),
    [
        ((0.5, 0.7), ("pet", "sky"), 80, ["loss", "val loss", "mIoU", "IoU\npet", "IoU\nsky", "rate", "seconds"]),
        ((0.9, 0.1, 0.8, NAN, 0.2), FIVE, 80, ["loss", "val loss", "mIoU", "worst class", "rate", "seconds"]),
        (
            (0.9, 0.1, 0.8, NAN, 0.2),
            FIVE,
            120,
            ["loss", "val loss", "mIoU", "IoU\nleaf", "IoU\nstone", "IoU\n[bold]tag", "rate", "seconds"],
        ),
        ((0.5, 0.7), ("pet", "sky"), 60, ["loss", "val loss", "mIoU", "rate", "seconds"]),
        ((0.5, 0.7), ("pet", "sky"), 40, ["loss", "mIoU", "seconds"]),
        ((0.5, 0.7), ("pet", "sky"), 5, ["mIoU"]),
    ],
)
def test_columns_fit_the_terminal(
    iou: tuple[float, ...], names: tuple[str, ...], width: int, headings: list[str]
) -> None:
    columns = epoch_columns(epoch(1, *iou), names, width)
    assert [column.heading for column in columns] == ["epoch", *headings]


@pytest.mark.parametrize(
    ("iou", "shown"),
    [
        ((0.9, 0.1, 0.8, 0.7, 0.2), "0.1000 leaf"),
        ((0.9, 0.3, 0.8, 0.0, NAN), "0.0000 a name th~"),
        ((NAN,), "nan background"),
    ],
)
def test_the_worst_class(iou: tuple[float, ...], shown: str) -> None:
    assert worst_class(epoch(1, *iou), FIVE) == shown


@pytest.mark.parametrize(
    ("done", "spent", "share", "expected"),
    [
        ([], 0.0, 0.0, None),
        ([], 5.0, 0.5, 35.0),
        ([10.0], 0.0, 0.0, 30.0),
        ([10.0], 4.0, 0.3, 26.0),
        ([10.0], 99.0, 0.9, 20.0),
        ([90.0, 8.0, 11.0], 0.0, 0.0, 11.0),
        ([90.0, 8.0, 10.0, 12.0], 0.0, 0.0, 0.0),
    ],
)
def test_what_is_left_of_four_epochs(done: list[float], spent: float, share: float, expected: float | None) -> None:
    assert remaining_seconds(done, spent, share, planned_epochs=4) == expected


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (3599.4, "59:59"), (3600, "1:00:00"), (90061, "25:01:01")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert clock_time(seconds) == shown


@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
@pytest.mark.parametrize("names", [("background", "leaf"), FIVE])
def test_a_frame_keeps_to_the_terminal(width: int, names: tuple[str, ...]) -> None:
    view = view_of([epoch(number, *[0.1 * number / 2] * len(names)) for number in range(1, 16)], names)
    lines = drawn(view, width)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 23
    assert [line.split()[0] for line in lines if line.endswith("best")] == ["15"]


@pytest.mark.parametrize("width", [80, 120])
def test_a_class_name_is_no_markup(width: int) -> None:
    view = view_of([epoch(1, 0.9, 0.8, 0.7, 0.6, 0.1)], ("a", "b", "c", "d", "[bold]x"))
    assert any("[bold]x" in line for line in drawn(view, width))


def test_a_frame_tells_how_far_the_run_is() -> None:
    view = view_of([epoch(1), epoch(2)], now=4.0)
    for _ in range(20):
        view.advance(0.25)
    *_, under_way, whole = drawn(view, 80)
    assert under_way.split()[:2] == ["epoch", "3"]
    assert under_way.split()[3:] == ["20/50", "loss", "0.250", "0:04"]
    assert whole.split()[3:] == ["120/1000", "best", "0.600", "0:24,", "2:56", "left"]


def test_steps_done_and_epoch_not_means_validating() -> None:
    view = view_of([])
    for _ in range(50):
        view.advance(0.25)
    assert drawn(view, 80)[-2].startswith("validating ")
    view.add(epoch(1))
    assert drawn(view, 80)[-2].startswith("epoch 2 ")


@pytest.mark.parametrize(
    ("mious", "patience", "is_learned"),
    [([], 0, False), ([0.5], 0, False), ([0.5, 0.4], 2, False), ([0.5, 0.4, 0.3], 2, True), ([0.5] * 20, 0, True)],
)
def test_the_report_is_what_comes_last(mious: list[float], patience: int, is_learned: bool) -> None:
    view = view_of([epoch(number, miou) for number, miou in enumerate(mious, start=1)], ("all",))
    view.patience = patience
    assert view.is_learned == is_learned
    assert (drawn(view, 80)[-1] == "writing the report") == is_learned


def test_a_low_terminal_shows_the_last_epoch() -> None:
    lines = drawn(view_of([epoch(number, 0.1 * number) for number in range(1, 6)], ("all",)), 80, height=6)
    assert [line.split()[0] for line in lines if line.strip()] == ["IoU", "epoch", "5", "epoch", "whole"]


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    write_manifest(tmp_path, Manifest(name="x", classes=make_classes(["background", "leaf"])))
    return RunConfig(data=tmp_path, epochs=4)


def played(config: RunConfig, *, terminal: bool, done: list[Epoch]) -> str:
    written = io.StringIO()
    console = Console(file=written, width=80, height=24, force_terminal=terminal, force_interactive=terminal)
    with TerminalProgress(console) as progress:
        progress.begin(config, 2, done)
        progress.step(0.5)
        progress.epoch(epoch(len(done) + 1, 0.25, 0.75), is_best=not done)
        progress.step(0.5)
    return written.getvalue()


def test_without_a_terminal_every_epoch_is_a_line(config: RunConfig) -> None:
    lines = played(config, terminal=False, done=[]).splitlines()
    assert lines == [
        "training on CPU: 4 epochs of 2 steps",
        "epoch   1/4  loss 1.000  val loss 0.500  mIoU 0.5000  10.0 s  best so far",
    ]


def test_a_resumed_run_shows_what_was_done_before(config: RunConfig) -> None:
    done = [epoch(1, 0.5, 0.7), epoch(2, 0.4, 0.4)]
    assert "4 epochs of 2 steps, going on after epoch 2" in played(config, terminal=False, done=done)
    frames = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", played(config, terminal=True, done=done))
    last_frame = frames[frames.rindex("epoch   loss") :]
    assert [line.split()[0] for line in last_frame.splitlines() if line.strip()] == ["epoch", "1", "2", "3"]
    assert "whole run" not in last_frame
    assert len(done) == 2


def test_a_run_that_never_began_ends_quietly() -> None:
    with TerminalProgress(Console(file=io.StringIO(), force_terminal=True)):
        pass
