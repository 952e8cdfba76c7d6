"""The emulated machine: all that needs no emulation."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64 import kernel, wheels
from edge_seg_bench.arm64.disks import make_disk, read_disk
from edge_seg_bench.arm64.kernel import load_order, module_name, needed_modules, open_kernel
from edge_seg_bench.arm64.machine import init_script
from edge_seg_bench.arm64.wheels import build_wheel

NEEDS = {"vivid": ["videodev", "tpg"], "videodev": ["mc"], "tpg": ["videodev"], "mc": [], "ext4": []}


@pytest.mark.parametrize(
    ("drivers", "order"),
    [
        ([], []),
        (["mc"], ["mc"]),
        (["vivid"], ["mc", "videodev", "tpg", "vivid"]),
        (["ext4", "vivid", "mc"], ["ext4", "mc", "videodev", "tpg", "vivid"]),
    ],
)
def test_a_driver_is_loaded_after_those_that_it_needs(drivers: list[str], order: list[str]) -> None:
    assert load_order(drivers, NEEDS.__getitem__) == order


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (b"\x7fELF", []),
        (b"\0license=GPL\0depends=\0retpoline=Y\0", []),
        (b"\0depends=mc,v4l2-tpg\0name=vivid\0", ["mc", "v4l2_tpg"]),
    ],
)
def test_a_module_says_what_it_needs(module: bytes, names: list[str]) -> None:
    assert needed_modules(module) == names


@pytest.mark.parametrize("file_name", ["v4l2-tpg.ko", "v4l2_tpg.ko.xz"])
def test_modules_are_known_by_either_dash(file_name: str) -> None:
    assert module_name(file_name) == "v4l2_tpg"


def test_arguments_reach_the_machine_as_they_are() -> None:
    script = init_script(["-c", "print('a b')"])
    assert """\n/usr/bin/python3 -c 'print('"'"'a b'"'"')'\n""" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_a_disk_gives_back_what_was_put_on_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "a folder").mkdir(parents=True)
    (folder / "a folder/b.txt").write_text("b")
    make_disk(folder, tmp_path / "disk", size_mb=16)
    read_disk(tmp_path / "disk", tmp_path / "back")
    assert [str(path.relative_to(tmp_path / "back")) for path in sorted((tmp_path / "back").rglob("*"))] == [
        "a folder",
        "a folder/b.txt",
    ]


def test_a_folder_that_does_not_fit_on_its_disk_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big/file").write_bytes(b"x" * 9_000_000)
    with pytest.raises(BenchmarkError, match="making a disk of"):
        make_disk(tmp_path / "big", tmp_path / "disk", size_mb=4)
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


def test_the_kernel_is_debians(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernel, "release", lambda: "ubuntu-noble")
    with pytest.raises(BenchmarkError, match="the machine's kernel is Debian's, and this is ubuntu-noble"):
        open_kernel(tmp_path, print)


def test_a_wheel_needs_the_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wheels.edge_seg, "__file__", str(tmp_path / "a/b/c/__init__.py"))
    with pytest.raises(BenchmarkError, match=r"holds no pyproject\.toml"):
        build_wheel(tmp_path)


def test_an_unknown_core_is_one_sentence() -> None:
    command = [sys.executable, "-m", "edge_seg_bench.arm64.try_device", "--cpu", "max", "--", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no core is called 'max'" in done.stderr
    assert "Traceback" not in done.stderr
