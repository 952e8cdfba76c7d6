"""Counting ARM instructions: all that needs no emulation."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from edge_seg.errors import BenchmarkError
from edge_seg.shipped import default_model
from edge_seg_bench.arm64 import userland
from edge_seg_bench.arm64.cores import CORES, Core, find_core
from edge_seg_bench.arm64.counter import plugin_api
from edge_seg_bench.arm64.marks import MARK, instructions_between
from edge_seg_bench.arm64.packages import apt_options, ubuntu_sources
from edge_seg_bench.arm64.programs import check_system, last_words, require_program
from edge_seg_bench.arm64.report import InstructionCount, InstructionReport, make_report, report_table
from edge_seg_bench.arm64.userland import Userland, check_python, default_folder, device_requirements, open_userland

A53, A72, A76 = CORES
DECLARED = ["ai-edge-litert>=2.1; platform_machine != 'armv7l'", "numpy>=1.26", "tensorflow>=2; extra == 'train'"]


def counted(model: str, core: str, *runs: int) -> InstructionCount:
    return InstructionCount(model=model, precision="int8", size_bytes=1, core=core, runtime_version="2.3.0", runs=runs)


@pytest.mark.parametrize(
    ("log", "counts"),
    [
        ("", ()),
        ("mark 0 9000\nmark 1 47347165\n", (47347165,)),
        ("mark 0 9\nmark 1 10\nmark 0 9\nmark 1 11\n", (10, 11)),
        ("mark 0 9\n", ()),
        ("INFO: mark 1 7\nmark 1 8 9\nmark x 1\nmark 1 12\n", (12,)),
    ],
)
def test_marks_are_read_from_the_log(log: str, counts: tuple[int, ...]) -> None:
    assert instructions_between(log) == counts


def test_the_plugin_and_the_guest_agree_on_the_mark() -> None:
    source = (Path(userland.__file__).parent / "instruction_counter.c").read_text()
    assert f"#define MARK {MARK:#x} " in source


@pytest.mark.parametrize(("version", "api"), [("7.2.22", 1), ("8.2.2", 1), ("9.0.0", 2), ("10.0.13", 2)])
def test_plugin_api_by_version(version: str, api: int) -> None:
    assert plugin_api(version) == api


@pytest.mark.parametrize(
    ("core", "part", "dot_products"), [(A53, "0xd03", False), (A72, "0xd08", False), (A76, "0xd0b", True)]
)
def test_a_core_describes_itself_as_on_its_board(core: Core, part: str, dot_products: bool) -> None:
    text = core.cpuinfo()
    assert text.count("processor\t: ") == 4
    assert text.count(f"CPU part\t: {part}\n") == 4
    assert (" asimddp" in text) == dot_products


def test_an_unknown_core_is_named() -> None:
    assert find_core("cortex-a72") is A72
    with pytest.raises(BenchmarkError, match="no core is called 'max'; choose one of cortex-a53, cortex-a72"):
        find_core("max")


@pytest.mark.parametrize(
    ("runtime", "version", "requirements"),
    [
        ("litert", "2.3.0", [*DECLARED[:2], "ai-edge-litert==2.3.0"]),
        ("litert", None, DECLARED[:2]),
        ("tflite_runtime", "2.3.0", ["numpy>=1.26", "tflite-runtime>=2.14", "numpy<2"]),
    ],
)
def test_requirements_of_the_device(runtime: str, version: str | None, requirements: list[str]) -> None:
    assert device_requirements(DECLARED, runtime, version) == requirements


@pytest.mark.parametrize(("version", "runtime"), [("3.11", "litert"), ("3.11", "tflite_runtime"), ("3.13", "litert")])
def test_a_python_that_will_do(version: str, runtime: str) -> None:
    check_python(version, runtime)


@pytest.mark.parametrize(
    ("version", "runtime", "sentence"),
    [
        ("3.9", "litert", "edge-seg needs Python 3.11, and this system's release has 3.9"),
        ("3.13", "tflite_runtime", "tflite_runtime stops at Python 3.11, and this system's release has 3.13"),
    ],
)
def test_a_python_that_will_not_do(version: str, runtime: str, sentence: str) -> None:
    with pytest.raises(BenchmarkError, match=sentence):
        check_python(version, runtime)


def test_the_command_that_runs_python_as_a_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu = fake_program(tmp_path / "bin", "qemu-aarch64", "exit 0")
    monkeypatch.setenv("PATH", str(qemu.parent))
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    monkeypatch.setenv("LD_PRELOAD", "x86.so")
    made = Userland(Path("/cache"), Path("/code"))
    root = "/cache/cores/cortex-a76"
    command = made.command(A76, ["-c", "1"], qemu_options=["-d", "plugin"])
    assert command == [
        str(qemu),
        "-cpu",
        "cortex-a76",
        "-d",
        "plugin",
        "-L",
        root,
        f"{root}/usr/bin/python3",
        "-c",
        "1",
    ]
    environment = made.environment(Path("/a"), Path("/b"))
    assert environment["PYTHONPATH"] == "/a:/b"
    assert environment.keys().isdisjoint({"PYTHONHOME", "LD_PRELOAD"})


@pytest.mark.parametrize(
    ("variable", "folder"), [("/var/cache/me", "/var/cache/me"), ("", "~/.cache"), ("relative", "~/.cache")]
)
def test_the_cache_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, variable: str, folder: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    assert default_folder() == Path(folder).expanduser() / "edge-seg/arm64"


def test_apt_sees_an_arm64_system_of_its_own(tmp_path: Path) -> None:
    options = apt_options(tmp_path, None)
    assert "APT::Architecture=arm64" in options
    assert f"Dir::State::status={tmp_path}/status" in options
    assert not any("SourceList" in option for option in options)
    assert "Dir::Etc::SourceParts=/dev/null" in apt_options(tmp_path, tmp_path / "sources.list")


def test_ubuntu_keeps_arm64_apart(tmp_path: Path) -> None:
    assert ubuntu_sources(tmp_path, {"ID": "debian", "VERSION_CODENAME": "bookworm"}) is None
    path = ubuntu_sources(tmp_path, {"ID": "ubuntu", "VERSION_CODENAME": "noble"})
    assert path is not None
    assert [line.split()[2] for line in path.read_text().splitlines()] == ["noble", "noble-updates", "noble-security"]


@pytest.mark.parametrize(("system", "machine"), [("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")])
def test_other_systems_are_refused(system: str, machine: str) -> None:
    with pytest.raises(BenchmarkError, match=f"this is {machine} {system}; .*edge-seg bench"):
        check_system(system, machine)


@pytest.mark.parametrize(
    ("program", "cure"),
    [
        ("qemu-aarch64", "apt-get install qemu-user"),
        ("cc", "apt-get install gcc"),
        ("apt-get", "Debian's or Ubuntu's"),
        ("dpkg-deb", "Debian's or Ubuntu's"),
    ],
)
def test_an_absent_program_comes_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, cure: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchmarkError, match=f"^{program}: no such program; .*{cure}"):
        require_program(program)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("E: Unable to locate package x\nW: old\n", "E: Unable to locate package x"),
        ("ERROR: no wheel\nnotice: a new pip\n", "ERROR: no wheel"),
    ],
)
def test_last_words(said: str, words: str) -> None:
    assert last_words(said) == words


@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"), reason="refused elsewhere")
def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    fake_program(programs, "qemu-aarch64", "exit 0")
    fake_program(programs, "dpkg-deb", "exit 0")
    fake_program(programs, "apt-get", "echo 'E: Temporary failure resolving' >&2; exit 100")
    monkeypatch.setenv("PATH", str(programs))
    announced: list[str] = []
    with pytest.raises(BenchmarkError, match="list of arm64 packages failed: E: Temporary failure resolving"):
        open_userland("litert", tmp_path / "cache", announced.append)
    assert list((tmp_path / "cache").iterdir()) == []
    assert len(announced) == 1


def test_a_row_for_each_part_and_a_column_for_each_core() -> None:
    counts = [
        counted("a", "cortex-a72", 47_347_166, 47_347_165, 47_400_000),
        counted("a", "cortex-a76", 22_822_296),
        counted("b", "cortex-a72", 299_650_000),
        counted("b", "cortex-a76", 1_299_650_000),
    ]
    report = make_report("7.2.22", "litert", {}, counts)
    assert report_table(report) == [
        "| model | precision | part | Cortex-A72 | Cortex-A76 |",
        "| :-- | :-- | :-- | --: | --: |",
        "| a | int8 | invoke | 47.3 M | 22.8 M |",
        "| b | int8 | invoke | 299.6 M | 1,299.7 M |",
    ]
    assert InstructionReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("absent.tflite",), 1, "absent.tflite: no such model file"),
        ((__file__,), 1, "not a TFLite model"),
        ((str(default_model()), "--cpu", "max"), 1, "no core is called 'max'"),
        ((str(default_model()), "--part", "decode"), 1, "no part of the work is called 'decode'; choose one of invoke"),
        ((str(default_model()), "--runtime", "onnx"), 2, "no runtime is called 'onnx'"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    command = [sys.executable, "-m", "edge_seg_bench.arm64", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def fake_program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
