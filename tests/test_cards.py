"""Model cards: every figure is a recorded one, and stands in a block that is rendered from it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench_fixtures import board, measurement, model, results, row
from edge_seg.classes import make_classes
from edge_seg.dataset.manifest import Manifest
from edge_seg.errors import BenchmarkError
from edge_seg.images import read_image
from edge_seg.model_info import read_model_info
from edge_seg_bench.arm64.report import InstructionCount, InstructionReport
from edge_seg_bench.cards.__main__ import rendered
from edge_seg_bench.cards.accuracy import Conversion, read_conversion
from edge_seg_bench.cards.blocks import BLOCKS, NOT_RECORDED, one_thread_ms
from edge_seg_bench.cards.evidence import Evidence, read_evidence
from edge_seg_bench.cards.front import PEERS_RESULTS, README
from edge_seg_bench.cards.page import block_names, fill, words_of
from edge_seg_bench.cards.publish import check_may_ship, check_saw_all_pictures
from edge_seg_bench.cards.subjects import LATENCY_RESULTS, SUBJECTS, Subject
from edge_seg_bench.wording import NONE, ms

ROOT = Path(__file__).parents[1]
LARGEST_SHEET_BYTES = 150_000
SHIPPING = [subject for subject in SUBJECTS if subject.ships]
RECORDED = [subject for subject in SHIPPING if (ROOT / subject.accuracy).is_file()]

of_subjects = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
of_shipping = pytest.mark.parametrize("subject", SHIPPING, ids=lambda subject: subject.name)


def card(subject: Subject) -> str:
    return (ROOT / subject.card).read_text(encoding="utf-8")


@of_subjects
def test_a_card_has_every_block_of_figures_once(subject: Subject) -> None:
    has_sizes = sum(other.family == subject.family for other in SUBJECTS) > 1
    assert sorted(block_names(card(subject))) == sorted(BLOCKS if has_sizes else BLOCKS.keys() - {"sizes"})
    assert card(subject).startswith(f"# Model card: `{subject.name}`\n")


@of_subjects
def test_its_figures_are_the_recorded_ones(subject: Subject) -> None:
    assert card(subject) == rendered(ROOT, subject), "python -m edge_seg_bench.cards  renders them"


@of_subjects
def test_no_measured_figure_stands_among_the_words(subject: Subject) -> None:
    words = re.sub(r"`[^`]*`", "", words_of(card(subject)))
    decimals = set(re.findall(r"\d+[.,]\d+", words))
    assert decimals <= {"4.0"}, "of the licence CC BY 4.0"
    assert not re.findall(r"\d+ ?(?:%|ms|MB|kB|points?|fps|seconds?|minutes?)", words)


@of_subjects
def test_its_commands_are_those_of_its_recipe(subject: Subject) -> None:
    assert f"edge-seg train --config train/recipes/{subject.recipe}.toml --out runs/{subject.recipe}\n" in card(subject)


@of_subjects
def test_its_links_lead_somewhere(subject: Subject) -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", card(subject))
    assert links
    sheet = (ROOT / subject.failures).resolve()
    for link in links:
        target = (ROOT / subject.card.parent / link).resolve()
        assert target.exists() or (target == sheet and subject not in RECORDED), link
    assert any("-failures.jpg" in link for link in links) == subject.ships


@pytest.mark.parametrize("subject", RECORDED, ids=lambda subject: subject.name)
def test_the_recorded_accuracy_is_of_the_file_that_ships(subject: Subject) -> None:
    conversion, info = read_conversion(ROOT / subject.accuracy), read_model_info(ROOT / subject.model)
    assert info is not None
    int8 = conversion.of("int8")
    assert (int8.size_bytes, int8.miou) == ((ROOT / subject.model).stat().st_size, info.metrics["miou"])
    assert conversion.network.source == info.source
    assert conversion.network.data == info.data
    assert conversion.network.name == subject.recipe
    check_saw_all_pictures(conversion)


@pytest.mark.parametrize("subject", RECORDED, ids=lambda subject: subject.name)
def test_latency_and_instructions_are_of_the_file_that_ships(subject: Subject) -> None:
    evidence = read_evidence(ROOT, subject)
    counts = evidence.instructions.counts if evidence.instructions else ()
    models = [model for board in (evidence.latency.boards if evidence.latency else ()) for model in board.models]
    sizes = {count.size_bytes for count in counts if count.model == subject.name}
    sizes |= {model.size_bytes for model in models if model.name == subject.name}
    assert sizes <= {(ROOT / subject.model).stat().st_size}


@pytest.mark.parametrize("subject", RECORDED, ids=lambda subject: subject.name)
def test_its_sheet_of_failures_is_small(subject: Subject) -> None:
    sheet = ROOT / subject.failures
    assert sheet.stat().st_size < LARGEST_SHEET_BYTES
    assert read_image(sheet).shape[1] > 800


def test_no_picture_is_shown_whose_licence_is_unknown() -> None:
    shown = {path.name for path in (ROOT / "docs/images/models").iterdir()}
    assert shown <= {subject.failures.name for subject in SHIPPING}


def test_everything_is_recorded() -> None:
    assert not [subject.name for subject in SUBJECTS if NOT_RECORDED in card(subject)]
    assert all((ROOT / "train/recipes" / f"{subject.recipe}.toml").is_file() for subject in SUBJECTS)


def conversion(name: str = "pets-128-small") -> dict[str, Any]:
    reached = {
        "miou": 0.7123,
        "pixel_accuracy": 0.9,
        "iou_pet": 0.8111,
        "agreement_with_keras": 0.9912,
        "pictures": 125.0,
    }
    return {
        "schema_version": 1,
        "network": {
            "name": name,
            "classes": [item.model_dump() for item in make_classes(("pet", "background"))],
            "input_height": 128,
            "input_width": 160,
            "output": "scores",
            "data": {
                "name": "pets",
                "source": "somebody",
                "licence": "CC BY 4.0",
                "train_images": 500,
                "val_images": 125,
            },
            "source": f"{name} 0123456789abcdef0123",
            "training": {"alpha": 0.35, "decoder": "separable", "epochs": 120, "seed": 0},
            "versions": {"keras": "3.15"},
        },
        "keras_miou": 0.72,
        "models": [
            {"precision": "float32", "size_bytes": 1_270_000, **reached, "miou": 0.7234},
            {"precision": "int8", "size_bytes": 540_000, **reached},
        ],
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's cards and README, with results of its own for pets-fast and fire."""
    for subject in SUBJECTS:
        (tmp_path / subject.card).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / subject.card, tmp_path / subject.card)
    for path in (README, PEERS_RESULTS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for name in ("pets-fast", "fire"):
        path = tmp_path / find(name).accuracy
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(conversion(find(name).recipe)))
    return tmp_path


def find(name: str) -> Subject:
    return next(subject for subject in SUBJECTS if subject.name == name)


def test_one_command_renders_every_card(project: Path) -> None:
    command = [sys.executable, "-m", "edge_seg_bench.cards", "--root", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(SUBJECTS) + 1
    assert "| 0.7234 → 0.7123 |" in (project / README).read_text(encoding="utf-8")
    fast = (project / find("pets-fast").card).read_text(encoding="utf-8")
    assert "| int8 | 0.54 | 0.7123 | 0.8111 | – | 0.9000 | 99.12% |" in fast
    assert "| float32 | 1.27 | 0.7234 | 0.8111 | – | 0.9000 | 99.12% |" in fast
    assert "160×128" in fast
    assert "epochs 120, seed 0" in fast
    assert "| `pets-fast` | 160×128 | 0.54 | 0.7123 | – |" in fast
    assert "| licence of the data | CC BY 4.0 |" in fast
    assert "`0123456789abcdef…`" in fast
    assert "does not ship" in (project / find("fire").card).read_text(encoding="utf-8")
    assert words_of(fast) == words_of(card(find("pets-fast")))


def test_latency_is_that_of_the_models_own_row(project: Path) -> None:
    shutil.copy(ROOT / "edge/edge_seg/models/pets.tflite", project / "pets-fast.tflite")
    shutil.copy(ROOT / "edge/edge_seg/models/pets.tflite", project / "fire_int8.tflite")
    models = [str(project / name) for name in ("pets-fast.tflite", "fire_int8.tflite")]
    quick = ["--runs", "2", "--seconds", "0", "--warmup", "0"]
    command = [sys.executable, "-m", "edge_seg.cli", "bench", *models, *quick, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    (project / LATENCY_RESULTS).write_text(done.stdout)
    rows = json.loads(done.stdout)["boards"][0]["rows"]
    for subject, measured in zip((find("pets-fast"), find("fire")), rows, strict=True):
        assert measured["model"] == subject.measured_name
        latency = measured["measurement"]["latency"]
        (line,) = [text for text in rendered(project, subject).splitlines() if "| litert 2" in text]
        assert abs(float(line.split("|")[4].replace(",", "")) - latency["p50_ms"]) <= 0.006 * latency["p50_ms"] + 0.005
    assert "| litert 2" not in rendered(project, find("trash"))
    assert "| 0.7123 | – |" not in rendered(project, find("pets-fast"))


def test_one_thread_is_one_thread_in_whatever_order_it_was_measured() -> None:
    rows = (row("fire_int8", 3.0, threads=2), row("fire_int8", 5.0), row("fire_int8", None, runtime="tflite_runtime"))
    latency = results(board(rows, (model("fire_int8", "int8"),)))
    assert one_thread_ms(Evidence(find("fire"), None, latency, None)) == ms(measurement(5.0).latency.p50_ms)
    assert one_thread_ms(Evidence(find("trash"), None, latency, None)) == NONE


def test_instructions_are_those_of_the_model_on_each_core(project: Path) -> None:
    counts = [
        InstructionCount(
            model=model, precision="int8", size_bytes=1, core=core, runtime_version="2.3.0", runs=(million * 1_000_000,)
        )
        for model, core, million in (
            ("pets-fast", "cortex-a53", 12),
            ("pets-fast", "cortex-a76", 34),
            ("trash", "cortex-a53", 56),
        )
    ]
    report = InstructionReport(
        created="2026-01-01", edge_seg_version="0.1.0", qemu_version="7.2", runtime="litert", counts=tuple(counts)
    )
    (project / find("pets-fast").instructions).write_text(report.model_dump_json())
    fast, pets = (rendered(project, find(name)) for name in ("pets-fast", "pets"))
    assert "Cortex-A53 | Cortex-A76" in fast
    assert "12.0 M | 34.0 M" in fast
    assert "56.0 M" not in fast
    assert "Cortex" not in pets


def test_a_card_of_an_unknown_block_is_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"no block of figures is called 'speed'; .*facts, accuracy"):
        fill("<!-- figures: speed -->\n<!-- /figures -->", {"facts": (), "accuracy": ()})


def test_blocks_change_and_words_stay() -> None:
    text = "a\n<!-- figures: x -->\nold\n<!-- /figures -->\nb\n<!-- figures: y -->\n<!-- /figures -->\n"
    filled = fill(text, {"x": ["1", "2"], "y": ["3"]})
    assert filled == ("a\n<!-- figures: x -->\n1\n2\n<!-- /figures -->\nb\n<!-- figures: y -->\n3\n<!-- /figures -->\n")
    assert fill(filled, {"x": ["1", "2"], "y": ["3"]}) == filled


def test_figures_of_a_part_of_the_pictures_are_refused() -> None:
    whole = conversion()
    check_saw_all_pictures(Conversion.model_validate(whole))
    whole["models"][1]["pictures"] = 34.0
    with pytest.raises(BenchmarkError, match="int8 was verified on 34 of 125 pictures"):
        check_saw_all_pictures(Conversion.model_validate(whole))


@pytest.mark.parametrize(("source", "licence"), [("", "CC BY 4.0"), ("somebody", "")])
def test_a_model_ships_only_when_source_and_licence_of_its_data_are_stated(source: str, licence: str) -> None:
    manifest = Manifest(name="trash", classes=make_classes(("a", "b")), source=source, licence=licence)
    with pytest.raises(BenchmarkError, match="states no source or no licence"):
        check_may_ship(find("trash"), manifest)
    check_may_ship(find("fire"), manifest)
