"""Stage times and accuracy: which float model is the reference, what small models give, what is refused."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.errors import DatasetError
from edge_seg.images import decoded_size, read_image, write_image
from edge_seg.model_info import INFO_FILE, DataProvenance, ModelInfo, read_model_info
from edge_seg.runtimes import load_engine
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import default_model
from edge_seg_bench.accuracy import accuracy_steps, list_pictures, measure_accuracy
from edge_seg_bench.accuracy_worker import compare
from edge_seg_bench.pictures import spread, write_photographs
from edge_seg_bench.references import Family, families, float_references
from edge_seg_bench.results import Accuracy, Results, Sampling, Stages
from edge_seg_bench.road_messages import STAGES, RoadBlock
from edge_seg_bench.road_worker import Road
from edge_seg_bench.stages import measure_stages, stage_steps
from edge_seg_bench.worker_process import WorkerProcess
from small_graphs import SmallGraph

RED_BLUE = ("red", "blue")
QUICK = Sampling(runs=4, seconds=0, warmup_seconds=0, limit_seconds=5, rounds=2)
SIDE = 16

Pixels = list[list[int]]


def write_model(
    path: Path,
    *,
    labels: tuple[str, ...] = RED_BLUE,
    source: str = "run 1",
    precision: str = "float32",
    blue: float = 1.0,
) -> Path:
    """A float model whose scores are the red channel, and `blue` times the blue one."""
    graph = SmallGraph(SIDE, SIDE, 3)
    weights = np.zeros((2, 1, 1, 3), np.float32)
    weights[0, 0, 0, 0], weights[1, 0, 0, 2] = 1, blue
    path.parent.mkdir(parents=True, exist_ok=True)
    scores = graph.convolution(graph.from_bytes(), weights, np.zeros(2, np.float32))
    path.write_bytes(graph.finished(scores))
    info = ModelInfo(
        name=path.stem,
        classes=make_classes(labels),
        input_height=SIDE,
        input_width=SIDE,
        precision=precision,  # type: ignore[arg-type]
        data=DataProvenance(name="toy"),
        source=source,
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(INFO_FILE, info.model_dump_json())
    return path


def write_dataset(folder: Path, count: int = 3) -> Path:
    """Pictures whose left half is red and right half blue, the red a little stronger; the top row is ignored."""
    mask = np.zeros((32, 48), np.uint8)
    mask[:, 24:] = 1
    mask[0] = 255
    image = np.zeros((32, 48, 3), np.uint8)
    image[:, :24, 0], image[:, 24:, 2] = 255, 200
    image[:, 24:, 0] = 60
    with DatasetWriter(folder, name="toy", classes=make_classes(RED_BLUE)) as writer:
        for index in range(count):
            writer.add_array(f"{index}.png", image, mask)
        writer.use_splits({"val": [f"{index}.png" for index in range(count)]}, SplitPolicy())
    return folder


def scored(models: list[Path], data: Path, most: int | None = None) -> list[Accuracy | str]:
    pictures, steps = list_pictures(data, "val", most), list[str]()
    found = measure_accuracy(models, pictures, "litert", 1, steps.append)
    assert list(found) == models
    assert len(steps) == accuracy_steps(models, pictures)
    return list(found.values())


@pytest.mark.parametrize(
    ("items", "most", "chosen"),
    [("abcdef", None, "abcdef"), ("abcdef", 3, "ace"), ("abcdef", 9, "abcdef"), ("abcde", 2, "ac"), ("abc", 1, "a")],
)
def test_pictures_are_chosen_at_equal_distances(items: str, most: int | None, chosen: str) -> None:
    assert "".join(spread(items, most)) == chosen


@pytest.mark.parametrize(
    ("names", "references"),
    [
        (("m_int8", "m_float32"), {"m_int8": "m_float32", "m_float32": "m_float32"}),
        (("m_float16", "m_int8"), {}),
        (("m_int8", "n_float32"), {"n_float32": "n_float32"}),
        (("m", "m_float32"), {"m_float32": "m_float32"}),
        (("a/m_int8", "b/m_float32"), {"b/m_float32": "b/m_float32"}),
        (("m_x_dynamic", "m_x_float32"), {"m_x_dynamic": "m_x_float32", "m_x_float32": "m_x_float32"}),
    ],
)
def test_names_tell_the_reference_of_files_that_say_nothing(
    names: tuple[str, ...], references: dict[str, str], tmp_path: Path
) -> None:
    paths = [tmp_path / f"{name}.tflite" for name in names]
    expected = {tmp_path / f"{name}.tflite": tmp_path / f"{other}.tflite" for name, other in references.items()}
    assert float_references(paths) == expected


def test_descriptions_tell_the_reference_whatever_the_names_are(tmp_path: Path) -> None:
    first = write_model(tmp_path / "x_float32.tflite")
    second = write_model(tmp_path / "deep" / "y.tflite")
    of_first = write_model(tmp_path / "z_int8.tflite", precision="int8")
    other = write_model(tmp_path / "x_int8.tflite", precision="int8", source="run 2")
    assert families([other, of_first, first, second]) == [
        Family((other,), has_reference=False),
        Family((first, of_first, second), has_reference=True),
    ]


@pytest.mark.parametrize(
    ("truth", "answer", "reference", "counts"),
    [
        ([[0, 1]], [[0, 0]], [[0, 1]], (2, 1)),
        ([[0, 255]], [[0, 0]], [[0, 1]], (1, 1)),
        ([[255, 255]], [[0, 0]], [[0, 0]], (0, 0)),
        ([[0, 1]], [[0, 0]], None, (2, None)),
    ],
)
def test_agreement_counts_what_is_not_ignored(
    truth: Pixels, answer: Pixels, reference: Pixels | None, counts: tuple[int, int | None]
) -> None:
    maps = [None if values is None else np.array(values, np.uint8) for values in (truth, answer, reference)]
    assert maps[0] is not None
    assert maps[1] is not None
    found = compare(maps[0], maps[1], maps[2], 255)
    assert (found.pixels, found.agreeing) == counts


def test_small_models_are_scored_beside_their_float_sibling(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    good = write_model(tmp_path / "good_float32.tflite")
    blind = write_model(tmp_path / "blind.tflite", precision="int8", blue=0.0)
    alone = write_model(tmp_path / "alone.tflite", source="run 2", precision="int8")
    foreign = write_model(tmp_path / "foreign.tflite", labels=("cat", "dog"), source="run 3")
    on_blind, on_good, on_alone, on_foreign = scored([blind, good, alone, foreign], data)
    assert isinstance(on_good, Accuracy)
    assert isinstance(on_blind, Accuracy)
    assert isinstance(on_alone, Accuracy)
    assert (on_good.miou, on_good.agreement, on_good.reference) == (1.0, 1.0, "good_float32")
    assert (on_blind.iou, on_blind.miou) == ({"red": 0.5, "blue": 0.0}, 0.25)
    assert (on_blind.agreement, on_blind.reference) == (0.5, "good_float32")
    assert (on_alone.agreement, on_alone.reference, on_alone.images) == (None, None, 3)
    assert isinstance(on_foreign, str)
    assert "knows the classes cat, dog, the data set" in on_foreign


def test_a_reference_that_fails_leaves_its_siblings_their_scores(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    broken = tmp_path / "m_float32.tflite"
    broken.write_bytes(b"no model")
    sibling = write_model(tmp_path / "m_int8.tflite", source="")
    on_broken, on_sibling = scored([broken, sibling], data, most=1)
    assert isinstance(on_broken, str)
    assert "not a TFLite model" in on_broken
    assert isinstance(on_sibling, Accuracy)
    assert (on_sibling.miou, on_sibling.reference, on_sibling.agreement) == (1.0, None, None)


def test_a_picture_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    (data / "images" / "1.png").write_bytes(b"no picture")
    (sentence,) = scored([write_model(tmp_path / "m_float32.tflite")], data)
    assert isinstance(sentence, str)
    assert "1.png: not an image" in sentence


def test_an_absent_split_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"test\.txt: no such split"):
        list_pictures(write_dataset(tmp_path / "data"), "test")


def test_stages_are_measured_in_the_same_rounds_and_failures_are_sentences(tmp_path: Path) -> None:
    good = write_model(tmp_path / "good.tflite")
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no model")
    pictures = [sample.image_path for sample in Dataset.open(write_dataset(tmp_path / "data")).samples("val")]
    steps: list[str] = []
    found = measure_stages([bad, good], "litert", 1, pictures, QUICK, steps.append)
    assert len(steps) == stage_steps([bad, good], QUICK)
    on_bad, on_good = found.values()
    assert isinstance(on_bad, str)
    assert "not a TFLite model" in on_bad
    assert isinstance(on_good, Stages)
    assert tuple(on_good.stages) == STAGES
    assert (on_good.pictures, on_good.width, on_good.height) == (3, 48, 32)
    assert [len(block) for block in on_good.whole_blocks_ms] == [2, 2]
    assert [len(block) for block in on_good.bare_blocks_ms] == [2, 2]
    walks = [latency.runs for latency in on_good.stages.values()]
    assert [*walks, on_good.whole.runs, on_good.bare_invoke.runs] == [4] * 8
    assert all(latency.min_ms > 0 for latency in on_good.stages.values())
    assert sum(latency.mean_ms for latency in on_good.stages.values()) <= on_good.whole.mean_ms


def test_a_walk_leaves_the_overlay_that_a_run_writes(tmp_path: Path) -> None:
    model, data = write_model(tmp_path / "m.tflite"), write_dataset(tmp_path / "data", 2)
    pictures = sorted((data / "images").iterdir())
    segmenter = Segmenter.load(model)
    road = Road(segmenter, load_engine(model), pictures, tmp_path / "walked")
    assert road.measure(RoadBlock(runs=2, seconds=0, limit_s=5, discard=1)).stages_ms.keys() == set(STAGES)
    edge_seg("run", data / "images", "--model", model, "--out", f"overlays:{tmp_path / 'run'}")
    for name in ("0.jpg", "1.jpg"):
        assert (tmp_path / "walked" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_stages_are_those_of_the_measured_walks(tmp_path: Path) -> None:
    """The walk that is thrown away takes much longer than the others: its picture is far bigger."""
    model, (small, big) = write_model(tmp_path / "toy.tflite"), write_photographs(tmp_path, 2)
    write_image(big, np.zeros((2400, 3200, 3), np.uint8))
    road = Road(Segmenter.load(model), load_engine(model), [big, small, small], tmp_path / "walked")
    done = road.measure(RoadBlock(runs=2, seconds=0, limit_s=60, discard=1))
    assert len(done.whole_ms) == 2
    for whole_ms, *stages_ms in zip(done.whole_ms, *done.stages_ms.values(), strict=True):
        assert sum(stages_ms) <= whole_ms + 1e-3


def edge_seg(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from edge_seg.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == code, done.stderr
    return done


QUICK_OPTIONS = ("--runs", "4", "--seconds", "0", "--warmup", "0.02", "--limit", "2")


def test_bench_scores_the_shipped_model_as_eval_does_and_reports_the_others(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    good, out = write_model(tmp_path / "good_float32.tflite"), tmp_path / "out"
    edge_seg("bench", good, default_model(), *QUICK_OPTIONS, "--data", data, "--max-pictures", "2", "--out", out)
    (board,) = Results.model_validate_json((out / "results.json").read_text()).boards
    on_good, on_shipped = board.models
    assert on_good.accuracy is not None
    assert (on_good.accuracy.images, on_good.accuracy.miou, on_good.accuracy.data) == (2, 1.0, "toy")
    assert on_shipped.accuracy is None
    assert on_shipped.stages is not None
    (note,) = on_shipped.notes
    assert note.startswith("accuracy not measured: the model 'pets' knows the classes pet, background, border, the")
    page = (out / "results.md").read_text()
    assert "| model | decode | resize | invoke | postprocess | draw | write | whole ms | bare ms |" in page
    assert "| mIoU | as float32 |" in page
    assert "| 1.000 | reference |" in page
    assert note in page


def test_a_data_set_of_other_classes_than_all_models_is_exit_one(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    done = edge_seg("bench", default_model(), *QUICK_OPTIONS, "--no-stages", "--data", data, code=1)
    assert done.stderr.startswith("edge-seg: no model was scored; pets: accuracy not measured: the model 'pets' knows")
    assert len(done.stderr.splitlines()) == 1
    assert "pets" in done.stdout


def test_a_broken_picture_leaves_the_latency(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    for picture in (data / "images").iterdir():
        picture.write_bytes(picture.read_bytes()[:60])
    done = edge_seg("bench", default_model(), *QUICK_OPTIONS, "--data", data, "--out", tmp_path / "out", code=1)
    assert done.stderr.startswith("edge-seg: no model was scored; pets: accuracy not measured: ")
    (board,) = Results.model_validate_json((tmp_path / "out/results.json").read_text()).boards
    assert board.rows[0].measurement is not None
    assert "stages not measured: " in board.models[0].notes[0]
    assert "cannot be decoded" in board.models[0].notes[0]


def test_generated_photographs_take_the_road_without_data(tmp_path: Path) -> None:
    first, second = write_photographs(tmp_path, 2)
    assert decoded_size(first).upright == (640, 480)
    assert first.read_bytes() != second.read_bytes()


FAKE_ROAD = """
import json, sys
from pathlib import Path

kinds = []
for line in sys.stdin:
    ((kind, fields),) = json.loads(line).items()
    kinds.append(kind)
    Path(__file__).with_name("kinds.txt").write_text(" ".join(kinds))
    number = kinds.count(kind)
    print(json.dumps({
        "OpenRoad": {"first_ms": 5.0},
        "RoadBlock": {"stages_ms": {name: [2.0 * number] * 2 for name in %r}, "whole_ms": [12.0 * number] * 2},
        "Block": {"latencies_ms": [1.0 * number] * 2},
    }[kind]), flush=True)
"""


def test_roads_and_bare_inference_take_turns_in_coming_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "fake_road.py").write_text(FAKE_ROAD % (STAGES,))
    settings = QUICK.model_copy(update={"rounds": 3, "runs": 6})
    pictures, model = write_photographs(tmp_path, 1), Path("m.tflite")
    found = measure_stages([model], "litert", 1, pictures, settings, start_worker=lambda _: WorkerProcess("fake_road"))
    stages = found[model]
    assert isinstance(stages, Stages)
    kinds = (tmp_path / "kinds.txt").read_text().split()
    assert kinds[:3] == ["OpenRoad", "RoadBlock", "Block"]  # to load and to warm up
    assert kinds[3:] == ["RoadBlock", "Block", "Block", "RoadBlock", "RoadBlock", "Block"]
    assert stages.whole_blocks_ms == ((24.0, 24.0), (36.0, 36.0), (48.0, 48.0))
    assert stages.bare_blocks_ms == ((2.0, 2.0), (3.0, 3.0), (4.0, 4.0))
    # Rounds that are paired rightly have one ratio, whichever of them are drawn.
    assert (stages.over_bare.low, stages.over_bare.high) == pytest.approx((12.0, 12.0))


@pytest.mark.shared
def test_bench_gives_the_miou_of_eval_on_real_pictures(shared_dir: Path, tmp_path: Path) -> None:
    data = write_pets(tmp_path / "pets", shared_dir / "data" / "pets", 20)
    models = [write_as(tmp_path / f"same_{precision}.tflite", precision) for precision in ("float32", "int8")]
    of_eval = json.loads(edge_seg("eval", models[0], "--data", data, "--json").stdout)
    options = (*QUICK_OPTIONS, "--no-stages", "--data", data, "--json")
    (board,) = Results.model_validate_json(edge_seg("bench", *models, *options).stdout).boards
    for found in (model.accuracy for model in board.models):
        assert found is not None
        assert (round(found.miou, 5), found.images) == (of_eval["miou"], 20)
        assert {name: iou and round(iou, 5) for name, iou in found.iou.items()} == of_eval["iou"]
        assert (found.reference, found.agreement) == ("same_float32", 1.0)


def write_as(path: Path, precision: str) -> Path:
    """The shipped model, which says of itself that it is of this precision."""
    from edge_seg_convert.metadata import pack

    info = read_model_info(default_model())
    assert info is not None
    path.write_bytes(pack(default_model().read_bytes(), info.model_copy(update={"precision": precision})))
    return path


def write_pets(folder: Path, source: Path, count: int) -> Path:
    """The first pictures of the Oxford-IIIT Pet data, whose trimaps count from 1."""
    masks = sorted((source / "masks").glob("*.png"))[:count]
    with DatasetWriter(folder, name="pets", classes=make_classes(("pet", "background", "border"))) as writer:
        for mask in masks:
            trimap = read_image(mask)[:, :, 0] - np.uint8(1)
            writer.add_array(f"{mask.stem}.png", read_image(source / "images" / f"{mask.stem}.jpg"), trimap)
        writer.use_splits({"val": [f"{mask.stem}.png" for mask in masks]}, SplitPolicy())
    return folder
