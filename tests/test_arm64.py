"""The same answer everywhere: what models answer on x86-64 and on the emulated cores of Raspberry Pi boards."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")
pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")
pytest.importorskip("skimage", reason="needs edge-seg[quickstart]")

from PIL import Image
from skimage.data import astronaut, chelsea, coffee

from edge_seg.errors import BenchmarkError
from edge_seg.runtimes import RUNTIMES
from edge_seg.shipped import default_model, shipped_model
from edge_seg_bench.arm64.cores import CORES, Core
from edge_seg_bench.arm64.counter import compile_plugin, count_instructions, qemu_version
from edge_seg_bench.arm64.programs import QEMU
from edge_seg_bench.arm64.userland import Userland, default_folder, open_userland

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.timeout(1800),  # a machine that has no userland yet builds two
    pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"needs {QEMU}: apt-get install qemu-user"),
]

Answers = Mapping[str, np.ndarray]

SHIPPED, TRANSPOSED_INT8, TRANSPOSED_FLOAT32 = "pets", "run_int8", "run_float32"
INT8_MODELS = (SHIPPED, TRANSPOSED_INT8)

# tflite_runtime 2.14 rounds int8 otherwise than LiteRT. Seen: 9 quantisation steps; 1.9 % of a photograph's pixels,
# 4.6 % of a small part of one.
MOST_STEPS = 16
MOST_DIFFERING_PIXELS = 0.07
# float32 sums in another order. Seen: 5e-6 and no pixel.
FLOAT32_TOLERANCE = 1e-4
MOST_DIFFERING_FLOAT32_PIXELS = 1e-4

ANSWERS = Path(__file__).with_name("arm64_answers.py")
by_core = pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)


@dataclass(frozen=True)
class Difference:
    """How two answers to one picture differ."""

    scores: float  # in quantisation steps, where the model is quantised
    pixels: float  # share


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, transposed: Path) -> Path:
    """Photographs and a generated picture: of odd sizes, of twice and four times a network's, and of smaller ones."""
    folder = tmp_path_factory.mktemp("pictures")
    made = {
        "cat.png": chelsea(),
        "cup.jpg": coffee(),
        "astronaut.png": astronaut(),
        "quarter.png": astronaut()[:256, 128:384],
        "small.png": chelsea()[60:150, 120:240],
        "wide.png": chelsea()[60:150],
    }
    for name, image in made.items():
        Image.fromarray(image).save(folder / name)
    (folder / "scene.jpg").write_bytes((transposed.parent / "data/images/scene_0001.jpg").read_bytes())
    return folder


@pytest.fixture(scope="module")
def transposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small trained network with transposed convolutions, as float32 and int8."""
    root = tmp_path_factory.mktemp("transposed")
    data, run, models = root / "data", root / "run", root / "models"
    network = ("--decoder", "transpose", "--size", 96, "--alpha", 0.35, "--encoder-weights", "none")
    edge_seg("data", "generate", data, "--count", 40, "--size", 128)
    edge_seg(
        "train", "--data", data, "--out", run, *network, "--epochs", 30, "--batch-size", 8, "--learning-rate", 3e-3
    )
    precisions = ("--precision", "float32", "--precision", "int8")
    edge_seg("convert", run, "--out", models, *precisions, "--calibration-images", 20, "--force")
    return models


@pytest.fixture(scope="module")
def models(transposed: Path) -> list[Path]:
    return [default_model(), *sorted(transposed.glob("*.tflite"))]


@pytest.fixture(scope="module")
def on_x86(models: list[Path], pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What LiteRT answers here."""
    out = tmp_path_factory.mktemp("x86") / "answers.npz"
    check([sys.executable, str(ANSWERS), *map(str, (out, "litert", pictures, *models))])
    return load(out)


@pytest.fixture(scope="module")
def userlands() -> dict[str, Userland]:
    return {runtime: open_userland(runtime, default_folder(), print) for runtime in RUNTIMES}


@pytest.fixture(scope="module")
def on_arm64(
    userlands: dict[str, Userland], models: list[Path], pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> "Emulated":
    return Emulated(userlands, models, pictures, tmp_path_factory.mktemp("arm64"))


class Emulated:
    """What each core answers with each runtime, asked once."""

    def __init__(self, userlands: dict[str, Userland], models: list[Path], pictures: Path, folder: Path) -> None:
        self._userlands, self._models, self._pictures, self._folder = userlands, models, pictures, folder

    def answers(self, core: Core, runtime: str) -> Answers:
        out = self._folder / f"{core.name}-{runtime}.npz"
        if not out.exists():
            arguments = (ANSWERS, out, runtime, self._pictures, *self._models)
            self._userlands[runtime].run(core, list(map(str, arguments)), doing=f"answering as {core.title}")
        return load(out)


def edge_seg(*arguments: object) -> None:
    check([sys.executable, "-m", "edge_seg.cli", *map(str, arguments)])


def check(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def load(path: Path) -> Answers:
    with np.load(path) as file:
        return dict(file)


def differences(one: Answers, other: Answers, model: str) -> dict[str, Difference]:
    """Return how two answers differ, by picture."""
    assert one.keys() == other.keys()
    names = [name.split("/")[1] for name in one if name.startswith(f"{model}/") and name.endswith("/scores")]
    return {name: difference(one, other, f"{model}/{name}") for name in names}


def difference(one: Answers, other: Answers, name: str) -> Difference:
    scores = one[f"{name}/scores"].astype(np.float64) - other[f"{name}/scores"]
    pixels = one[f"{name}/classes"] != other[f"{name}/classes"]
    return Difference(float(np.abs(scores).max()), float(pixels.mean()))


def largest(found: dict[str, Difference]) -> Difference:
    return Difference(max(each.scores for each in found.values()), max(each.pixels for each in found.values()))


@pytest.mark.parametrize("model", INT8_MODELS)
def test_the_pictures_have_something_to_tell_apart(on_x86: Answers, model: str) -> None:
    several = [name for name, map_ in on_x86.items() if name.startswith(model) and "/classes" in name and np.ptp(map_)]
    assert len(several) >= 4, several


@by_core
@pytest.mark.parametrize("model", INT8_MODELS)
def test_int8_is_the_same_to_the_bit(on_x86: Answers, on_arm64: Emulated, core: Core, model: str) -> None:
    found = differences(on_x86, on_arm64.answers(core, "litert"), model)
    assert len(found) == 7
    assert largest(found) == Difference(0.0, 0.0), found


@by_core
def test_float32_is_the_same_but_for_the_order_of_sums(on_x86: Answers, on_arm64: Emulated, core: Core) -> None:
    found = largest(differences(on_x86, on_arm64.answers(core, "litert"), TRANSPOSED_FLOAT32))
    assert found.scores < FLOAT32_TOLERANCE
    assert found.pixels <= MOST_DIFFERING_FLOAT32_PIXELS


@by_core
@pytest.mark.parametrize("model", INT8_MODELS)
def test_tflite_runtime_keeps_to_its_tolerance(on_x86: Answers, on_arm64: Emulated, core: Core, model: str) -> None:
    """The board's old runtime against a workstation's LiteRT: another processor and another runtime at once."""
    found = differences(on_x86, on_arm64.answers(core, "tflite_runtime"), model)
    assert largest(found).scores <= MOST_STEPS, found
    assert largest(found).pixels <= MOST_DIFFERING_PIXELS, found


def test_tflite_runtime_answers_alike_on_all_boards(on_arm64: Emulated) -> None:
    first, *others = (on_arm64.answers(core, "tflite_runtime") for core in CORES)
    for model in INT8_MODELS:
        assert [largest(differences(first, other, model)) for other in others] == [Difference(0.0, 0.0)] * 2


@pytest.fixture(scope="module")
def plugin() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield compile_plugin(Path(folder), qemu_version())


def test_counts_are_repeatable_and_dot_products_save_half(userlands: dict[str, Userland], plugin: Path) -> None:
    def count(core: Core) -> int:
        (counted,) = count_instructions(
            userlands["litert"], plugin, core, "litert", shipped_model("pets-accurate"), "pets-accurate", ["invoke"]
        )
        return counted.instructions

    _, a72, a76 = CORES
    on_a72 = count(a72)
    assert on_a72 > 1e6
    assert count(a72) == pytest.approx(on_a72, rel=1e-5)
    assert count(a76) < 0.6 * on_a72


def test_a_model_that_does_not_run_is_one_sentence(
    userlands: dict[str, Userland], plugin: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(default_model().read_bytes()[:2000])
    with pytest.raises(
        BenchmarkError, match=r"running .*broken.tflite as Cortex-A72 failed: .*convert the model again"
    ):
        count_instructions(userlands["litert"], plugin, CORES[1], "litert", broken, "broken", ["invoke"])
