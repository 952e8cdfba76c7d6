"""The models that ship: how they are named, listed, shown and copied, and that the wheel holds them."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from device_fixtures import half_red_half_blue
from edge_seg import shipped
from edge_seg.errors import ModelError
from edge_seg.images import write_image
from edge_seg.model_info import read_model_info
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import DEFAULT_MODEL, MODELS_FOLDER, default_model, find_model, read_card, shipped_models

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]
NAMES = [path.stem for path in shipped_models()]
MOST_BYTES = 6_000_000
SMALLEST_MODEL_BYTES = 700_000


def edge_seg(*arguments: object, **kwargs) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **kwargs)


def test_the_default_comes_first_and_the_others_by_name() -> None:
    assert [DEFAULT_MODEL, *sorted(set(NAMES) - {DEFAULT_MODEL})] == NAMES
    assert default_model() == shipped_models()[0]


def test_the_default_comes_before_names_that_sort_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zebra", DEFAULT_MODEL, "ant"):
        (tmp_path / f"{name}.tflite").touch()
    monkeypatch.setattr(shipped, "MODELS_FOLDER", tmp_path)
    assert [path.stem for path in shipped_models()] == [DEFAULT_MODEL, "ant", "zebra"]


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in shipped_models()) < MOST_BYTES


def test_those_that_were_asked_for() -> None:
    assert NAMES == ["pets", "pets-accurate", "pets-fast", "trash"]
    assert find_model("pets-fast").stat().st_size < SMALLEST_MODEL_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_int8_says_its_licence_and_has_a_card(name: str) -> None:
    path = find_model(name)
    info = read_model_info(path)
    assert info is not None
    assert info.precision == "int8"
    assert info.metrics["miou"] > 0.5
    assert info.data.licence.startswith("CC BY")
    assert info.data.source
    assert read_card(path).startswith(f"# Model card: `{name}`\n")


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (None, MODELS_FOLDER / "pets.tflite"),
        ("pets", MODELS_FOLDER / "pets.tflite"),
        ("here", Path("here")),
        ("pets.tflite", Path("pets.tflite")),
        ("models/pets", Path("models/pets")),
        ("./pets", Path("./pets")),
        (Path("absent.tflite"), Path("absent.tflite")),
    ],
)
def test_what_a_name_means(named, found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").touch()
    Path("pets").mkdir()
    assert find_model(named) == found


def test_a_file_goes_before_a_shipped_model_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pets").touch()
    assert find_model("pets") == Path("pets")


def test_a_bare_name_that_is_nothing_is_answered_with_those_that_are() -> None:
    with pytest.raises(ModelError, match=f"no such file here, and no shipped.*those that ship are {', '.join(NAMES)}$"):
        find_model("petz")


def test_an_installation_without_models_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "MODELS_FOLDER", tmp_path)
    with pytest.raises(ModelError, match="none ship with this installation"):
        default_model()


def test_the_api_takes_names_too() -> None:
    assert Segmenter.load("pets").info == read_model_info(default_model())


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "a.png", "--model", "pets", "--out", "masks:m"),
        ("run", ".", "--model", "pets", "--out", "masks:m"),
        ("camera", "--source", "a.png", "--model", "pets", "--no-window"),
        ("inspect", "pets"),
        ("data", "prelabel", ".", "--model", "pets", "--out", "via.json"),
        ("bench", "pets", "--runs", "2", "--seconds", "0", "--warmup", "0"),
        ("service", "install", "--dry-run", "--", "--model", "pets"),
    ],
)
def test_every_command_takes_a_name(arguments: tuple[str, ...], tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", half_red_half_blue(60, 90))
    done = edge_seg(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (wrong,) = ([*arguments[:index], "petz", *arguments[index + 1 :]] for index in [arguments.index("pets")])
    refused = edge_seg(*wrong, cwd=tmp_path)
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert line.startswith("edge-seg: petz: no such file here, and no shipped model is called that; those that ship")


def test_a_service_gets_the_models_file(tmp_path: Path) -> None:
    done = edge_seg("service", "install", "--dry-run", "--", "--model", "pets", cwd=tmp_path)
    assert f"--model {default_model()}" in done.stdout


def test_bare_and_list_are_one(tmp_path: Path) -> None:
    bare, listed = edge_seg("models"), edge_seg("models", "list")
    assert bare.stdout == listed.stdout
    assert [line.split()[0] for line in bare.stdout.splitlines() if " MB " in line] == NAMES
    assert f"{DEFAULT_MODEL} *" in bare.stdout
    rows = json.loads(edge_seg("models", "--json").stdout)
    assert json.loads(edge_seg("models", "list", "--json").stdout) == rows
    assert [row["name"] for row in rows if row["default"]] == [DEFAULT_MODEL]
    assert {"size_bytes", "input_size", "precision", "classes", "metrics", "data", "licence"} <= rows[0].keys()


def test_show_prints_the_card() -> None:
    shown = edge_seg("models", "show", "pets")
    assert "Model card: pets" in shown.stdout
    assert "<!--" not in shown.stdout
    assert shown.stdout.rstrip().endswith("pets.tflite")
    read = json.loads(edge_seg("models", "show", "pets", "--json").stdout)
    assert read["card"] == read_card(default_model())
    assert read["path"] == str(default_model())


def test_path_prints_nothing_else() -> None:
    assert edge_seg("models", "path", "pets").stdout == f"{default_model()}\n"


@pytest.mark.parametrize("command", [("show",), ("path",), ("export", "--out", "o")])
def test_a_wrong_name_is_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    done = edge_seg("models", *command, "petz", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"edge-seg: no shipped model is called 'petz'; those that ship are {', '.join(NAMES)}\n"
    assert not list(tmp_path.iterdir())


def test_export_copies_models_with_their_cards(tmp_path: Path) -> None:
    for _ in range(2):  # the second time all is there already
        done = edge_seg("models", "export", *NAMES, "pets", "--out", "o", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        copies = [Path("o") / f"{name}{suffix}" for name in NAMES for suffix in (".tflite", ".md")]
        assert [Path(line) for line in done.stdout.splitlines()] == copies
    for path in (tmp_path / "o").iterdir():
        assert path.read_bytes() == (MODELS_FOLDER / path.name).read_bytes()


def test_export_overwrites_nothing_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "pets.md").write_text("mine")
    done = edge_seg("models", "export", "pets", "--out", tmp_path)
    assert done.returncode == 1
    assert "pets.md: is there already and holds something else" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["pets.md"]
    assert (tmp_path / "pets.md").read_text() == "mine"


def test_the_wheel_holds_them_with_their_cards_and_the_files_for_fleets(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="needs edge-seg[test]")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("edge_seg/models/")}
        assert held >= {f"edge_seg/models/{name}{suffix}" for name in NAMES for suffix in (".tflite", ".md")}
        assert archive.read("edge_seg/models/pets.tflite") == default_model().read_bytes()
        fleet = {name.partition(".data/data/share/edge-seg/fleet/")[2] for name in archive.namelist()}
        assert fleet >= {"prometheus.yml", "rules.yml", "grafana-dashboard.json", "mosquitto.conf", "mosquitto.acl"}
