"""The commands that measure collecting and smoothing: their arithmetic, their videos, their recorded results."""

from pathlib import Path

import numpy as np
import pytest

from edge_seg_bench.collecting.measures import CHOSEN, MEASURES
from edge_seg_bench.collecting.measuring import judge, kept_by_running_share, spearman
from edge_seg_bench.collecting.result import CollectingReport, PictureRow
from edge_seg_bench.collecting.table import markdown as collecting_markdown
from edge_seg_bench.recording import read_recorded
from edge_seg_bench.smoothing.measuring import flickering
from edge_seg_bench.smoothing.moving_picture import MOTIONS, Motion, moving_picture, passed_by
from edge_seg_bench.smoothing.result import SmoothingReport
from edge_seg_bench.smoothing.table import markdown as smoothing_markdown

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


@pytest.mark.parametrize(
    ("first", "second", "rho"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 1000], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8),
        ([1, 2, 2, 3], [1, 2, 3, 4], 0.948683),  # ties share the mean of their ranks
    ],
)
def test_spearman(first: list[float], second: list[float], rho: float) -> None:
    assert spearman(np.array(first, float), np.array(second, float)) == pytest.approx(rho, abs=1e-6)


def test_a_constant_correlates_with_nothing() -> None:
    assert np.isnan(spearman(np.ones(4), np.arange(4.0)))


def test_the_least_sure_are_picked() -> None:
    rows = [
        PictureRow(name=str(n), miou=1 - n / 10, error=n / 100, unsure=dict.fromkeys(MEASURES, n / 2))
        for n in range(10)
    ]
    found = judge(CHOSEN, rows, 0.2)
    assert found.with_miou.rho == pytest.approx(1)
    assert (found.picked_miou, found.picked_error) == (pytest.approx(0.15), pytest.approx(0.085))


def test_the_running_share_keeps_about_its_share() -> None:
    assert 0.02 < kept_by_running_share(np.random.default_rng(0).random(200)) < 0.08


@pytest.mark.parametrize("name", MOTIONS)
def test_picture_and_truth_move_together(name: str) -> None:
    truth = np.zeros((300, 400), np.uint8)
    truth[100:200, 120:260] = 1
    image = np.repeat(truth[:, :, np.newaxis] * 200, 3, axis=2)
    frames = list(moving_picture(image, truth, MOTIONS[name], frames=12, fps=4, size=(120, 160), seed=3))
    for item in frames:
        assert item.image.shape == (120, 160, 3)
        assert np.mean((item.image[..., 0] > 100) == item.truth) > 0.97
    assert (np.array_equal(frames[0].truth, frames[-1].truth)) is (name == "on a wall")


def test_what_passes_by_is_seen_and_true() -> None:
    plain = Motion(0, 0, noise=0, light_flicker=0, shake_px=0)
    empty, black = np.zeros((100, 160), np.uint8), np.zeros((100, 160, 3), np.uint8)
    thing = empty.copy()
    thing[40:60, 70:90] = 1
    frames = moving_picture(black, empty, plain, frames=10, fps=2, size=(100, 160), seed=0)
    passing = list(passed_by(frames, np.full((100, 160, 3), 200, np.uint8), thing, 0, widths_per_s=0.1))
    places = [np.flatnonzero(item.truth[50]).mean() for item in passing if item.truth.sum() == 400]
    assert len(places) > 5
    assert np.diff(places) == pytest.approx(8, abs=0.51)
    assert all(np.array_equal(item.image[..., 0] == 200, item.truth == 1) for item in passing)


def test_flickering_leaves_out_what_truly_changed() -> None:
    def row(*ids: int) -> np.ndarray:
        return np.array([ids], np.uint8)

    truths = [row(0, 0, 1, 1), row(0, 1, 1, 1), row(0, 1, 1, 1)]
    seen = [row(0, 0, 1, 1), row(0, 1, 1, 0), row(0, 1, 1, 0)]
    assert flickering(truths, seen) == [pytest.approx(1 / 3), 0.0]


def test_the_recorded_tables_are_those_of_the_recorded_figures() -> None:
    collecting = read_recorded(RESULTS / "collecting.json", CollectingReport, made_by="edge_seg_bench.collecting")
    assert (RESULTS / "collecting.md").read_text() == collecting_markdown(collecting)
    smoothing = read_recorded(RESULTS / "smoothing.json", SmoothingReport, made_by="edge_seg_bench.smoothing")
    assert (RESULTS / "smoothing.md").read_text() == smoothing_markdown(smoothing)


def test_what_the_docs_claim_is_what_was_recorded() -> None:
    collecting = read_recorded(RESULTS / "collecting.json", CollectingReport, made_by="edge_seg_bench.collecting")
    for model in collecting.models:
        chosen = next(item for item in model.measures if item.name == CHOSEN)
        assert chosen.with_miou.low > 0.4
        assert chosen.picked_miou < model.miou - 0.05
    page = (RESULTS.parents[1] / "docs" / "learning-from-the-field.md").read_text()
    for model in collecting.models:
        chosen = next(item for item in model.measures if item.name == CHOSEN)
        assert f"{chosen.with_miou.rho:.2f} | {model.miou:.3f} | {chosen.picked_miou:.3f}" in page
