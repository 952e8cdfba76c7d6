"""Beside other people's models and runtimes: the pet IoU rule, the descriptions, the bars, what failed, end to end."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import tomli_w

from device_fixtures import half_red_half_blue, red_or_blue
from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.errors import BenchmarkError, ModelError
from edge_seg.images import read_image
from edge_seg.scores import ScoreMap
from edge_seg.segmenter import Segmentation, Segmenter
from edge_seg.shipped import default_model
from edge_seg_bench.assembly import assemble
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.measurement import Candidate, ModelRun
from edge_seg_bench.messages import Finish, Finished, Load, Loaded
from edge_seg_bench.peers.__main__ import fail_for
from edge_seg_bench.peers.answers import answer, share_of_same
from edge_seg_bench.peers.bars import Standing, coral_bar, size_bar, tutorial_bar
from edge_seg_bench.peers.contestants import (
    STOCK_TUTORIAL,
    TUTORIAL,
    Contestant,
    all_contestants,
    other_model,
    same_weights,
)
from edge_seg_bench.peers.descriptions import DESCRIPTIONS, read_description, read_descriptions
from edge_seg_bench.peers.environment import prepare
from edge_seg_bench.peers.lanes import Checked, Lane, check_answers, lanes_of, refused_beforehand
from edge_seg_bench.peers.measuring import make_report, with_refused
from edge_seg_bench.peers.pet_iou import PetClasses, count_pet_pixels, pet_classes, pet_iou, pet_mask
from edge_seg_bench.peers.result import PeersReport, PetScore, read_report
from edge_seg_bench.peers.scoring import Pictures
from edge_seg_bench.peers.table import markdown
from edge_seg_bench.results import Settings
from edge_seg_bench.statistics import RatioInterval
from edge_seg_bench.worker_process import Interpreter, WorkerProcess

PETS = PetClasses(pet=(0,), left_out=(2,))
YES, NO = True, False


# Pet IoU


@pytest.mark.parametrize(
    ("answer_is_pet", "truth", "both", "either"),
    [
        ([YES, YES, NO, NO], [0, 0, 1, 1], 2, 2),
        ([YES, NO, YES, NO], [0, 0, 1, 1], 1, 3),
        ([YES, YES, NO, NO], [2, 0, 0, 1], 1, 2),  # border counts for nothing, whatever is answered
        ([YES, NO, YES, NO], [2, 2, 255, 255], 0, 0),
        ([NO, NO, NO, NO], [0, 0, 0, 1], 0, 3),
        ([NO, NO, NO, NO], [1, 1, 1, 1], 0, 0),
    ],
)
def test_pixels_are_counted_by_one_rule(
    answer_is_pet: Sequence[bool], truth: Sequence[int], both: int, either: int
) -> None:
    pixels = count_pet_pixels(np.array([answer_is_pet]), np.array([truth], np.uint8), PETS, ignore_id=255)
    assert (pixels.both, pixels.either) == (both, either)


def segmentation(scores: Sequence[Sequence[int]]) -> Segmentation:
    values = np.array([scores], np.float32)
    class_map = values.argmax(axis=2).astype(np.uint8)
    classes = make_classes(["pet", "background", "border"][: values.shape[2]])
    return Segmentation(class_map, classes, 0, 0, 0, ScoreMap(values))


@pytest.mark.parametrize(
    ("scores", "classes", "is_pet"),
    [
        ([[5, 1, 0], [1, 5, 0]], PETS, [YES, NO]),
        ([[3, 1, 9], [1, 3, 9]], PETS, [YES, NO]),  # the better of the other two where border is best
        ([[3, 1, 9], [1, 3, 9]], PetClasses((0,)), [NO, NO]),
        ([[0, 1, 9], [9, 1, 0]], PetClasses((0, 2)), [YES, YES]),  # cat and dog
    ],
)
def test_an_answer_is_pet_where_a_pet_class_is_best(
    scores: Sequence[Sequence[int]], classes: PetClasses, is_pet: Sequence[bool]
) -> None:
    np.testing.assert_array_equal(pet_mask(segmentation(scores), classes), [is_pet])


def test_a_class_map_without_scores_cannot_leave_a_class_out() -> None:
    ids = Segmentation(np.zeros((2, 2), np.uint8), make_classes(["pet", "border"]), 0, 0, 0)
    assert pet_mask(ids, PetClasses((0,))).all()
    with pytest.raises(ModelError, match="--output scores"):
        pet_mask(ids, PetClasses((0,), (1,)))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("pet", "background", "border"), PetClasses((0,), (2,))),
        (("background", "pet"), PetClasses((1,))),
        (("background", "fire"), None),
    ],
)
def test_classes_are_found_by_name(names: Sequence[str], classes: PetClasses | None) -> None:
    assert pet_classes(names) == classes


def dataset(folder: Path, masks: Sequence[np.ndarray], names: Sequence[str] = ("pet", "background")) -> Dataset:
    with DatasetWriter(folder, name="toy", classes=make_classes(names)) as writer:
        for index, mask in enumerate(masks):
            writer.add_array(f"{index}.png", half_red_half_blue(*mask.shape), mask)
        writer.use_splits({"train": ["0.png"], "val": [f"{index}.png" for index in range(len(masks))]}, SplitPolicy())
    return Dataset.open(folder)


def test_iou_is_pooled_over_pictures_at_their_size(tmp_path: Path) -> None:
    left = np.ones((32, 48), np.uint8)
    left[:, :24] = 0
    no_pet = np.ones((32, 48), np.uint8)
    segmenter = Segmenter(red_or_blue(), labels=["pet", "background"])  # the left half is red
    assert pet_iou(segmenter, PetClasses((0,)), dataset(tmp_path / "a", [left]), "val") == 1
    assert pet_iou(segmenter, PetClasses((0,)), dataset(tmp_path / "b", [left, no_pet]), "val") == 0.5
    assert pet_iou(segmenter, PetClasses((1,)), dataset(tmp_path / "c", [left]), "val") == 0
    with pytest.raises(BenchmarkError, match="no class 'pet' \\(but leaf, soil\\)"):
        pet_iou(segmenter, PetClasses((0,)), dataset(tmp_path / "d", [left], ["leaf", "soil"]), "val")


# Descriptions

GOOD = {
    "title": "Somebody's",
    "file": "somebodys.tflite",
    "sha256": "0" * 64,
    "download": "https://example.org/somebodys.tflite",
    "licence": "MIT",
    "made_for": "people",
    "knows_pets": False,
    "output": "classes",
    "pet_classes": [8, 12],
}


def test_the_descriptions_of_the_checkout_are_read() -> None:
    found = {item.file: item.pet_classes for item in read_descriptions(DESCRIPTIONS)}
    assert found["deeplabv3_mnv2_pascal_quant.tflite"] == (8, 12)
    assert len(found) == 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"colour": "red"}, "colour: Extra inputs are not permitted; correct it"),
        ({"output": "logits"}, "output: Input should be 'scores', 'probability' or 'classes'"),
        ({"input_range": "0,2"}, "input_range: "),
        ({"pet_classes": []}, "pet_classes: "),
        ({"sha256": "abc"}, "sha256: "),
    ],
)
def test_a_wrong_description_is_a_sentence(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    path = tmp_path / "somebodys.toml"
    path.write_text(tomli_w.dumps(GOOD))
    assert read_description(path).title == "Somebody's"
    path.write_text(tomli_w.dumps(GOOD | change))
    with pytest.raises(BenchmarkError, match=f"somebodys.toml: {sentence}"):
        read_description(path)


def test_what_is_no_description_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="describes no model; give --descriptions"):
        read_descriptions(tmp_path)
    (tmp_path / "a.toml").write_text("title = ")
    with pytest.raises(BenchmarkError, match=r"a\.toml: is not TOML"):
        read_descriptions(tmp_path)


def test_a_model_that_is_absent_or_another_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(tomli_w.dumps(GOOD))
    (description,) = read_descriptions(tmp_path)
    assert "somebodys.tflite: no such file; benchmarks/peers/README.md" in (
        other_model(description, tmp_path).refusal or ""
    )
    (tmp_path / "somebodys.tflite").write_bytes(b"another version")
    assert "is another file than the one described (SHA-256 " in (other_model(description, tmp_path).refusal or "")


# Contestants and lanes


def converted(folder: Path) -> Path:
    folder.mkdir()
    for name in ("cats_float32.tflite", "cats_int8.tflite", "cats.onnx"):
        (folder / name).write_bytes(b"0123TFL3" + name.encode())
    return folder


def test_the_same_weights_are_seven_lanes_each_held_against_litert(tmp_path: Path) -> None:
    folder = converted(tmp_path / "models")
    lanes = lanes_of(same_weights(folder))
    assert [(lane.contestant.path.name, lane.runtime) for lane in lanes] == [
        *(("cats_float32.tflite", runtime) for runtime in ("litert", "tflite_runtime", "openvino")),
        *(("cats_int8.tflite", runtime) for runtime in ("litert", "tflite_runtime", "openvino")),
        ("cats.onnx", "onnxruntime"),
    ]
    assert lanes[-1].contestant.weights == folder / "cats_float32.tflite"
    elsewhere = Interpreter("/other/python")
    assert [lane.candidate(2, elsewhere).interpreter == elsewhere for lane in lanes].count(True) == 2
    assert {lane.candidate(2, elsewhere).worker for lane in lanes} == {
        "edge_seg_bench.worker",
        "edge_seg_bench.peers.peer_worker",
    }
    (folder / "cats.onnx").unlink()
    with pytest.raises(BenchmarkError, match=r"cats\.onnx: no such file; type  edge-seg convert RUN .*--to onnx"):
        same_weights(folder)


def test_a_model_is_given_once_and_the_folder_of_peers_is_there(tmp_path: Path) -> None:
    model = converted(tmp_path / "models") / "cats_int8.tflite"
    with pytest.raises(BenchmarkError, match="is given twice"):
        all_contestants([model], [tmp_path / "models"], None, None, [], tmp_path)
    with pytest.raises(BenchmarkError, match="none: no such folder of other people's models; benchmarks/peers/README"):
        all_contestants([model], [], None, None, [], tmp_path / "none")
    with pytest.raises(BenchmarkError, match=r"no\.tflite: no such file"):
        all_contestants([tmp_path / "no.tflite"], [], None, None, [], tmp_path)


def test_answers_are_held_against_litert_and_a_silent_lane_is_not_timed(tmp_path: Path) -> None:
    lanes = lanes_of(same_weights(converted(tmp_path / "models")))
    refusals = refused_beforehand(lanes, {"tflite_runtime": "stops at Python 3.11"})
    assert list(refusals) == [lane for lane in lanes if lane.runtime == "tflite_runtime"]
    maps = {"litert": np.array([[0, 1], [2, 1]], np.uint8), "openvino": np.array([[0, 1], [2, 2]], np.uint8)}

    def answer_of(lane: Lane) -> np.ndarray:
        if lane.runtime not in maps:
            raise BenchmarkError("no such kernel")
        return maps[lane.runtime]

    checked = check_answers(lanes, refusals, answer_of)
    assert list(checked.shares.values()) == [0.75, 0.75]
    assert {lane.runtime: sentence for lane, sentence in checked.refusals.items()} == {
        "tflite_runtime": "stops at Python 3.11",
        "onnxruntime": "no such kernel",
    }


# Another Python


def test_a_worker_runs_in_another_python_with_its_own_code(tmp_path: Path) -> None:
    (tmp_path / "only_there.py").write_text(
        "import sys\nfor line in sys.stdin:\n"
        '    print(\'{"peak_rss_bytes": 1, "precision": "int8", "nodes": 0, "delegated": 0, \''
        '\'"partitions": 0, "left_out": {}}\', flush=True)\n'
    )
    with WorkerProcess("only_there", Interpreter(sys.executable, tmp_path)) as worker:
        assert worker.ask(Finish(), Finished, timeout_s=60).peak_rss_bytes == 1
    with WorkerProcess("only_there") as worker, pytest.raises(BenchmarkError, match="No module named"):
        worker.ask(Finish(), Finished, timeout_s=60)


def test_a_python_too_new_for_tflite_runtime_is_a_sentence() -> None:
    with pytest.raises(BenchmarkError, match=r"stops at Python 3\.11, and this is 3\.12; give --tflite-python"):
        prepare(lambda _what: None, version=(3, 12))


@pytest.mark.tools
@pytest.mark.skipif(sys.version_info[:2] > (3, 11), reason="tflite_runtime stops at Python 3.11")
def test_tflite_runtime_answers_as_litert_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told: list[str] = []
    python = prepare(told.append)
    assert prepare(told.append) == python
    assert len(told) == 1
    candidate = Candidate(default_model(), "tflite_runtime", interpreter=python)
    with candidate.start_worker() as worker:
        loaded = worker.ask(Load(str(candidate.model), candidate.runtime, 1), Loaded, timeout_s=60)
    assert loaded.runtime_version == "2.14.0"
    assert share_of_same(answer(candidate), answer(Candidate(default_model(), "litert"))) > 0.93


# Bars


def times(ratio: float, low: float | None = None) -> RatioInterval:
    return RatioInterval(ratio, low, None if low is None else 2 * ratio - low)


@pytest.mark.parametrize(
    ("standings", "coral_iou", "met"),
    [
        ([Standing("a", 1, 0.92, times(13, 12.5))], 0.917, True),
        ([Standing("a", 1, 0.917, times(12))], 0.917, True),
        ([Standing("a", 1, 0.916, times(40, 39))], 0.917, False),
        ([Standing("a", 1, 0.95, times(13, 11.9))], 0.917, False),  # the lower end counts
        ([Standing("a", 1, 0.95, times(5)), Standing("b", 1, 0.9, times(40))], 0.917, False),  # one model, both
        ([Standing("a", 1, 0.9, times(40)), Standing("b", 1, 0.93, times(20))], 0.917, True),
        ([Standing("a", 1, 0.95, times(40), unseen=False)], 0.917, False),
        ([Standing("fire", 1, None, times(40))], 0.917, None),
        ([Standing("a", 1, 0.95, None)], 0.917, None),
        ([Standing("a", 1, 0.95, times(40))], None, None),
    ],
)
def test_the_coral_bar(standings: Sequence[Standing], coral_iou: float | None, met: bool | None) -> None:
    assert coral_bar(standings, coral_iou).met is met


def test_a_bar_shows_both_figures() -> None:
    bar = coral_bar([Standing("pets", 1, 0.931, times(37.2, 36.8))], 0.917)
    assert bar.seen == "Coral: 0.917; pets: 0.931, 37.2 [36.8, 37.6] × as fast"
    assert size_bar([Standing("pets", 2_444_360), Standing("small", 541_977)]).seen == "small: 542 kB"


@pytest.mark.parametrize(("sizes", "met"), [([2_000_000, 699_999], True), ([700_000], False), ([], None)])
def test_the_size_bar(sizes: Sequence[int], met: bool | None) -> None:
    assert size_bar([Standing("any", size) for size in sizes]).met is met


@pytest.mark.parametrize(
    ("speedups", "met"),
    [
        ({"small": times(26, 25.1)}, True),
        ({"small": times(26, 24.9)}, False),  # the lower end counts
        ({"small": times(25)}, True),
        ({"small": times(20), "smaller": times(30)}, True),
        ({"small": None}, None),
        ({}, None),  # none is small enough
    ],
)
def test_the_tutorial_bar(speedups: Mapping[str, RatioInterval | None], met: bool | None) -> None:
    assert tutorial_bar(TUTORIAL, speedups).met is met


# The report

SETTINGS = Settings(
    runtimes=("litert",), threads=(1, 2), runs=40, seconds=1, warmup_seconds=1, limit_seconds=9, rounds=2, seed=0
)


def run_of(lane: Lane, threads: int, median_ms: float, error: str | None) -> ModelRun:
    from edge_seg_bench.conditions import Watch

    now = Watch().read()
    samples = median_ms / threads * np.array([[0.99, 1.01], [0.99, 1.01]])  # too few for an interval, which takes long
    return ModelRun(
        lane.candidate(threads, Interpreter()),
        cast(WorkerProcess, None),
        loaded=Loaded("1.0", 1, 2, 3, [1, 128, 128, 3], "uint8", {"threads": "1"}),
        warmup_runs=7,
        blocks_ms=[] if error else samples.tolist(),
        before=now,
        after=now,
        finished=None if error else Finished(1000, "int8", nodes=1, delegated=1, partitions=1, left_out={}),
        error=error,
    )


MEDIANS_MS = {"pets.tflite": 1.0, "tutorial.tflite": 14.0, "stock.tflite": 29.0, "cats_float32.tflite": 3.0}
CORAL_MS = 30.0


@pytest.fixture
def contestants(tmp_path: Path) -> Sequence[Contestant]:
    peers = tmp_path / "peers"
    peers.mkdir()
    descriptions = read_descriptions(DESCRIPTIONS)
    for description in descriptions[:-1]:
        (peers / description.file).write_bytes(b"0123TFL3" + description.file.encode())
    for name in ("pets", "tutorial", "stock"):
        (tmp_path / f"{name}.tflite").write_bytes(b"0123TFL3")
    found = all_contestants(
        [tmp_path / "pets.tflite"],
        [converted(tmp_path / "models")],
        tmp_path / "tutorial.tflite",
        tmp_path / "stock.tflite",
        descriptions,
        peers,
    )
    return [
        item if item.path.name == descriptions[-1].file else Contestant(**{**vars(item), "refusal": None})
        for item in found
    ]


def report_of(
    contestants: Sequence[Contestant], folder: Path, failing: Mapping[Lane, str] = {}, share: float = 0.99
) -> PeersReport:
    lanes = lanes_of(contestants)
    refusals = refused_beforehand(lanes, {"tflite_runtime": "stops at Python 3.11"})
    checked = Checked({lane: share for lane in lanes if lane.runtime == "openvino"}, refusals)
    runs = [
        run_of(lane, threads, MEDIANS_MS.get(lane.contestant.path.name, CORAL_MS), failing.get(lane))
        for lane in lanes
        if lane not in refusals
        for threads in SETTINGS.threads
    ]
    scored: dict[Path, PetScore | str | None] = {
        item.path: PetScore(iou=0.9, miou=None, unseen=None)
        if item.group == "others"
        else PetScore(iou=0.95, miou=0.77, unseen=True)
        if item.group == "shipped"
        else None
        for item in contestants
    }
    board = with_refused(assemble(runs, SETTINGS, describe_machine()), checked)
    pictures = Pictures(dataset(folder / "data", [np.eye(32, dtype=np.uint8)]), "val")
    return make_report(contestants, scored, checked, board, pictures)


def test_rows_are_compared_with_coral_the_tutorials_and_litert(
    contestants: Sequence[Contestant], tmp_path: Path
) -> None:
    report = report_of(contestants, tmp_path)
    ratios = {(item.row, item.reference.model): item.speedup.ratio for item in report.comparisons}
    coral = "deeplabv3_mnv2_pascal_quant"
    for threads in SETTINGS.threads:
        row = ("pets", "litert", threads)
        assert [ratios[row, model] for model in (coral, "tutorial", "stock")] == pytest.approx([30, 14, 29])
    assert ratios[("cats_float32", "openvino", 1), "cats_float32"] == 1
    assert ratios[("cats.onnx", "onnxruntime", 1), "cats_float32"] == pytest.approx(0.1)
    assert [bar.met for bar in report.bars] == [True, True, False, True]


def test_the_page_names_met_and_missed_bars_and_every_failure(
    contestants: Sequence[Contestant], tmp_path: Path
) -> None:
    text = markdown(report_of(contestants, tmp_path, share=0.9))
    assert ": met (Coral: 0.900; pets: 0.950, 30.0 × as fast)." in text
    assert f"× as fast as {TUTORIAL}, on one thread: **missed** (pets: 14.0 × as fast)." in text
    (pets,) = (line for line in text.splitlines() if line.startswith("| pets | "))
    assert (
        pets
        == "| pets |  | int8 | 128×128 uint8 | 0.00 | 0.950 | 0.770 | 1.00 ± 0.01 | 0.50 ± 0.01 | 30.0 | 14.0 | 29.0 |"
    )
    assert (
        "| MediaPipe selfie segmentation | people before a camera | unknown | – | – | 0.900 (not made for pets) | –"
        in text
    )
    assert "selfie_segmentation.tflite: no such file" in text
    assert "cats_int8 (tflite_runtime, 2 threads): not measured: stops at Python 3.11" in text
    assert "| cats.onnx | ONNX Runtime | – |" in text
    assert "**cats_int8 in OpenVINO gives 90.00% of the pixels of the first pictures the class that LiteRT" in text


def test_without_coral_or_the_tutorial_a_bar_is_not_measured(contestants: Sequence[Contestant], tmp_path: Path) -> None:
    coral = next(item for item in contestants if item.path.name == "deeplabv3_mnv2_pascal_quant.tflite")
    report = report_of(contestants, tmp_path, failing={Lane(coral, "litert"): "no such kernel"})
    assert [bar.met for bar in report.bars] == [None, True, False, True]
    few = [item for item in contestants if item.title not in (TUTORIAL, STOCK_TUTORIAL)]
    assert [bar.met for bar in report_of(few, tmp_path / "few").bars] == [True, True, None, None]


def test_the_command_fails_for_a_row_that_failed(contestants: Sequence[Contestant], tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"^6 of the figures not measured; cats_float32 in tflite_runtime: "):
        fail_for(report_of(contestants, tmp_path))
    whole = [item for item in contestants if item.group in ("shipped", "tutorial")]
    fail_for(report_of(whole, tmp_path / "whole"))


def test_the_file_is_read_back(contestants: Sequence[Contestant], tmp_path: Path) -> None:
    report = report_of(contestants, tmp_path)
    path = tmp_path / "peers.json"
    path.write_text(report.model_dump_json())
    assert read_report(path) == report
    assert report.board.machine.host is None
    assert [model.path for model in report.board.models][:2] == ["pets.tflite", "tutorial.tflite"]


# End to end


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "edge_seg_bench.peers", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_an_absent_folder_of_peers_is_one_sentence(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", [np.eye(32, dtype=np.uint8)])
    ended = command("--data", data.folder, "--peers", tmp_path / "none", "--out", tmp_path / "peers.json")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "no such folder of other people's models; benchmarks/peers/README.md says where" in ended.stderr
    assert not (tmp_path / "peers.json").exists()


@pytest.mark.shared
def test_three_pets_beside_two_small_peers(shared_dir: Path, tmp_path: Path) -> None:
    names = ["Abyssinian_125", "Abyssinian_135", "Abyssinian_136"]
    with DatasetWriter(tmp_path / "data", name="pets", classes=make_classes(["pet", "background", "border"])) as writer:
        for name in names:
            trimap = read_image(shared_dir / f"data/pets/masks/{name}.png")[:, :, 0]
            writer.add_file(shared_dir / f"data/pets/images/{name}.jpg", trimap - 1)
        listed = [f"{name}.jpg" for name in names]
        writer.use_splits({"train": listed[:1], "val": listed}, SplitPolicy())
    (tmp_path / "descriptions").mkdir()
    for name in ("selfie_segmentation", "bilinear_fin_munet_uint8"):
        shutil.copy(DESCRIPTIONS / f"{name}.toml", tmp_path / "descriptions")
    ended = command(
        *("--data", tmp_path / "data", "--peers", shared_dir / "peers", "--descriptions", tmp_path / "descriptions"),
        *("--runs", 6, "--seconds", 0, "--warmup", 0.1, "--out", tmp_path / "peers.json", default_model()),
    )
    assert ended.returncode == 0, ended.stderr
    report = read_report(tmp_path / "peers.json")
    scores = {entry.model: entry.pets.iou for entry in report.entries if entry.pets}
    assert scores["pets"] > 0.85
    assert 0.2 < scores["bilinear_fin_munet_uint8"] < scores["pets"]
    assert 0.3 < scores["selfie_segmentation"] < scores["pets"]
    assert [len(row.measurement.blocks_ms) for row in report.board.rows if row.measurement] == [6, 6, 6]
    assert report.pictures == 3
    assert (tmp_path / "peers.md").read_text() == markdown(report)
