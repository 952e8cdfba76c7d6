"""The camera as a service: unit files as systemd reads them, and a file system and a systemctl of the tests' own.

systemd is not process 1 where tests run, so what it does with the unit is not seen here; that it accepts the
file is (`systemd-analyze verify`), and that the camera runs under the unit's system call filter.
"""

import ctypes
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from device_fixtures import write_video
from edge_seg.cli.service_arguments import parse_camera
from edge_seg.cli.service_checks import (
    check_extras,
    check_model,
    check_outputs,
    check_reach,
    check_token,
    needed_extras,
    sudo_line,
)
from edge_seg.errors import ServiceError, UpdateError
from edge_seg.extras import EXTRAS
from edge_seg.service.installation import check_name, install, uninstall
from edge_seg.service.quoting import environment_line, exec_word
from edge_seg.service.reach import below_home, closed_path
from edge_seg.service.secrets import separate_secrets, without_secrets
from edge_seg.service.status import read_status
from edge_seg.service.systemctl import check_booted, run
from edge_seg.service.unit import Service, UnitSettings, unit_text
from edge_seg.shipped import default_model
from edge_seg.updates.signing import make_keys

PROGRAM = [sys.executable, "-m", "edge_seg.cli"]
DOOR = Service("door")
SETTINGS = UnitSettings((sys.executable, "-m", "edge_seg.cli", "camera", "--source", "0"))


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("--source", "--source"),
        ("rtsp://cam:554/a?b=1", '"rtsp://cam:554/a?b=1"'),
        ("fire > 2% for 3s", '"fire > 2%% for 3s"'),
        ("$HOME", '"$$HOME"'),
        ("${CAMERA_URL}", '"${CAMERA_URL}"'),
        ("${CAMERA_URL}/x$y", '"${CAMERA_URL}/x$$y"'),
        ("${lower}", '"$${lower}"'),
        ('say "hi" \\', '"say \\"hi\\" \\\\"'),
        ("two\nlines", '"two\\nlines"'),
        ("it's", '"it\'s"'),
        (";", '";"'),
        ("", '""'),
        ("grün", '"grün"'),
    ],
)
def test_words_of_a_command(word: str, written: str) -> None:
    assert exec_word(word) == written


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain", "A='plain'"),
        ('$x `y` \\ "', "A='$x `y` \\ \"'"),
        ("it's $5", 'A="it\'s \\$5"'),
    ],
)
def test_values_of_an_environment_file(value: str, line: str) -> None:
    assert environment_line("A", value) == line


@pytest.mark.parametrize(
    ("words", "kept", "secrets"),
    [
        (["rtsp://u:p/w@cam"], ["${EDGE_SEG_SECRET_1}"], ["rtsp://u:p/w@cam"]),
        (["--source", "0"], ["--source", "0"], []),
        (["--source", "rtsp://cam/x"], ["--source", "rtsp://cam/x"], []),
        (["--source", "rtsp://u:p@cam/x"], ["--source", "${EDGE_SEG_SECRET_1}"], ["rtsp://u:p@cam/x"]),
        (["--out", "mqtt://token@host"], ["--out", "${EDGE_SEG_SECRET_1}"], ["mqtt://token@host"]),
        (["--token", "abc", "--x"], ["--token", "${EDGE_SEG_SECRET_1}", "--x"], ["abc"]),
        (["--mqtt-password=abc"], ["${EDGE_SEG_SECRET_1}"], ["--mqtt-password=abc"]),
        (["--model", "https://h/m?key=abc"], ["--model", "${EDGE_SEG_SECRET_1}"], ["https://h/m?key=abc"]),
        (["--model=https://h/m?v=1&Sig=abc"], ["${EDGE_SEG_SECRET_1}"], ["--model=https://h/m?v=1&Sig=abc"]),
        (["--source", "http://cam/x?size=2"], ["--source", "http://cam/x?size=2"], []),
        (["--token-file", "t.txt"], ["--token-file", "t.txt"], []),
        (["--token", "${TOKEN}"], ["--token", "${TOKEN}"], []),
        (["--alert", "mail a@b.c > 2%"], ["--alert", "mail a@b.c > 2%"], []),
    ],
)
def test_secrets_leave_the_command_line(words: list[str], kept: list[str], secrets: list[str]) -> None:
    assert separate_secrets(words) == (kept, {f"EDGE_SEG_SECRET_{n}": text for n, text in enumerate(secrets, 1)})
    assert not any(secret in without_secrets(words) for secret in secrets)


def verify(unit: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (apt install systemd)")
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        UnitSettings((sys.executable, "--alert", "fire > 2% for 3s", "--source", "${EDGE_SEG_SECRET_1}", ";")),
        UnitSettings((sys.executable,), user="root", home_is_needed=True, writable=(Path("/mnt/my disk"),)),
        UnitSettings((sys.executable,), watchdog_s=400, memory_max="400M"),
    ],
)
def test_systemd_accepts_the_unit(tmp_path: Path, settings: UnitSettings) -> None:
    unit = tmp_path / DOOR.unit
    unit.write_text(unit_text(DOOR, settings))
    done = verify(unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_refuses_a_broken_unit(tmp_path: Path) -> None:
    unit = tmp_path / DOOR.unit
    unit.write_text(unit_text(DOOR, SETTINGS).replace("Restart=always", "Restart=sometimes"))
    assert "restart specifier" in verify(unit).stderr


def test_systemd_rates_the_unit_as_hardened(tmp_path: Path) -> None:
    unit = tmp_path / DOOR.unit
    unit.write_text(unit_text(DOOR, SETTINGS))
    assert verify(unit).returncode == 0
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]  # tenths of its score
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-200:]


def test_the_camera_runs_under_the_filter_and_the_memory_rule_of_its_unit(tmp_path: Path) -> None:
    skip_without_sandbox()
    unit = tmp_path / DOOR.unit
    unit.write_text(unit_text(DOOR, SETTINGS))
    sandbox = [sys.executable, str(Path(__file__).with_name("service_sandbox.py")), str(unit)]
    video = write_video(tmp_path / "in.mp4", 5)
    camera = [*PROGRAM, "camera", "--source", str(video), "--no-window", "--threads", "2"]
    outs = ["--out", "e.jsonl", "--out", "o.mp4", "--out", "masks:m"]
    done = subprocess.run([*sandbox, *camera, *outs], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "5 frames" in done.stdout
    chroot = [*sandbox, sys.executable, "-c", "import os; os.chroot('/')"]
    assert "PermissionError" in subprocess.run(chroot, capture_output=True, text=True, check=False).stderr
    code = [*sandbox, sys.executable, "-c", "import mmap; mmap.mmap(-1, 4096, prot=7)"]
    assert "PermissionError" in subprocess.run(code, capture_output=True, text=True, check=False).stderr


def skip_without_sandbox() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (apt install systemd)")
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed (apt install libseccomp2)")
    get_mdwe = 66
    if ctypes.CDLL(None).prctl(get_mdwe, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")


def test_options_are_checked_and_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(default_model(), "mine.tflite")
    write_video(tmp_path / "in.mp4", 3)
    words = ["-m", "mine.tflite", "--source=in.mp4", "-o", "e.jsonl", "-o", "masks:m", "--threads", "2"]
    parsed = parse_camera(words)
    assert sorted(_pairs(parsed.words[:-1])) == [
        ("--model", str(tmp_path / "mine.tflite")),
        ("--out", "e.jsonl"),
        ("--out", "masks:m"),
        ("--source", str(tmp_path / "in.mp4")),
        ("--threads", "2"),
    ]
    assert parsed.words[-1] == "--no-window"
    assert set(parsed.inputs) == {tmp_path / "mine.tflite", tmp_path / "in.mp4"}
    assert parse_camera(["--no-window", "--source", "0"]).words.count("--no-window") == 1


def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize(
    ("out", "absolute"),
    [("e.jsonl", None), ("/mnt/usb/o.mp4", "/mnt/usb/o.mp4"), ("masks:/mnt/m", "/mnt/m"), ("http://h:1", None)],
)
def test_outputs_outside_of_the_services_folder_are_seen(out: str, absolute: str | None) -> None:
    assert parse_camera(["--out", out]).outputs == ((Path(absolute),) if absolute else ())


def test_a_model_over_the_air_stays_an_address_and_its_folder_the_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()  # of whoever installs: not the service's
    _, key = make_keys(tmp_path)
    url = "https://user:hunter2@host/fire.tflite"
    given = ["--model", url, "--model-key", "public.pem", "--model-folder", "models", "--model-slowest", "1.5x"]
    parsed = parse_camera([*given, "--model-every", "1h", "--model-meanwhile", "pets"])
    assert _pairs(parsed.words[:-1])[:3] == [
        ("--model", url),
        ("--model-key", str(key)),
        ("--model-folder", "models"),
    ]
    assert set(parsed.inputs) == {key, default_model()}
    assert parsed.outputs == ()
    again = parse_camera(parsed.words)
    assert again.values == parsed.values | {"no_window": True, "model_key": key}
    assert separate_secrets(parsed.words)[1] == {"EDGE_SEG_SECRET_1": url}
    check_model(parsed)


@pytest.mark.parametrize("option", ["--model-folder", "--alerts", "--collect"])
def test_folders_outside_of_the_services_are_seen(option: str) -> None:
    assert parse_camera([option, "/mnt/usb"]).outputs == (Path("/mnt/usb"),)
    with pytest.raises(ServiceError, match="--writable /mnt"):
        check_outputs(parse_camera([option, "/mnt/usb"]), [])


def test_what_is_wrong_with_a_key_is_said_before_the_service_is_written(tmp_path: Path) -> None:
    private, _ = make_keys(tmp_path)
    with pytest.raises(ServiceError, match="--model-key"):
        parse_camera(["--model", "https://host/fire.tflite", "--model-key", "absent.pem"])
    with pytest.raises(UpdateError, match="belongs on no device"):
        check_model(parse_camera(["--model", "https://host/fire.tflite", "--model-key", str(private)]))
    with pytest.raises(UpdateError, match="give the public key"):
        check_model(parse_camera(["--model", "https://host/fire.tflite"]))


@pytest.mark.parametrize(
    ("options", "extras"),
    [
        (["--source", "0"], []),
        (["--serve", "8080", "--mqtt", "mqtt://ha"], ["web", "mqtt"]),
        (["--out", "http://127.0.0.1:8080"], ["web"]),
        (["--model", "https://host/fire.tflite"], ["updates"]),
    ],
)
def test_the_extras_of_the_options(options: list[str], extras: list[str]) -> None:
    assert needed_extras(parse_camera(options)) == extras
    check_extras(extras)


def test_a_missing_extra_is_said_with_the_services_own_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "mqtt", ("paho_of_nobody",))
    with pytest.raises(ServiceError, match="would not start") as raised:
        check_extras(["web", "mqtt"])
    assert f"{sys.executable} -m pip install 'edge-seg[mqtt]'" in str(raised.value)


def test_the_cure_of_a_closed_environment_installs_what_the_options_need(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "python").touch()
    with pytest.raises(ServiceError, match=r"bin/pip install 'edge-seg\[web,mqtt\]'"):
        check_reach([tmp_path / "python"], None, ["web", "mqtt"])


@pytest.mark.parametrize(
    ("options", "environment", "is_fine"),
    [
        (["--serve", "0.0.0.0:8080"], None, False),
        (["--out", "http://0.0.0.0:8080"], None, False),
        (["--serve", "0.0.0.0:8080"], "# EDGE_SEG_TOKEN=abc\nEDGE_SEG_TOKEN=\n", False),
        (["--serve", "0.0.0.0:8080"], "A=1\nEDGE_SEG_TOKEN='abc'\n", True),
        (["--serve", "0.0.0.0:8080", "--token", "abc"], None, True),
        (["--serve", "0.0.0.0:8080", "--token-file", "token.txt"], None, True),
        (["--serve", "127.0.0.1:8080"], None, True),
        (["--source", "0"], None, True),
    ],
)
def test_a_page_for_others_needs_a_token_where_the_service_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], environment: str | None, is_fine: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGE_SEG_TOKEN", "of-who-installs")
    Path("token.txt").write_text("abc")
    file = tmp_path / "porch.env"
    if environment is not None:
        file.write_text(environment)
    if is_fine:
        check_token(parse_camera(options), file)
    else:
        with pytest.raises(ServiceError, match=r"write a line EDGE_SEG_TOKEN=… into .*porch\.env"):
            check_token(parse_camera(options), file)


@pytest.mark.parametrize("option", ["--ca-file", "--token-file"])
def test_files_that_the_service_would_not_find(option: str) -> None:
    with pytest.raises(ServiceError, match=f"would not start, name a file for {option}"):
        parse_camera([option, "absent"])


def test_options_that_the_camera_would_refuse() -> None:
    with pytest.raises(ServiceError, match="no such file"):
        parse_camera(["--model", "absent.tflite"])
    with pytest.raises(Exception, match="--bogus") as raised:
        parse_camera(["--bogus"])
    assert getattr(raised.value, "exit_code", None) == click.UsageError.exit_code


@pytest.mark.parametrize(("mode", "closed"), [(0o755, None), (0o700, "home"), (0o711, None)])
def test_closed_folders_on_the_way_are_found(tmp_path: Path, mode: int, closed: str | None) -> None:
    base = Path(os.path.realpath("/tmp")) / f"edge-seg-{os.getpid()}"
    file = base / "home" / "python"
    file.parent.mkdir(parents=True)
    try:
        file.touch(mode=0o755)
        file.parent.chmod(mode)
        found = closed_path([file], None)
        assert (found.name if found else None) == closed
        assert closed_path([file], os.getuid()) is None
    finally:
        file.parent.chmod(0o755)
        shutil.rmtree(base)


def test_homes_are_seen_through_links(tmp_path: Path) -> None:
    assert below_home([Path("/home/pi/venv/bin/python")])
    assert not below_home([Path("/opt/edge-seg/bin/python")])
    (tmp_path / "python").symlink_to("/root/python3")
    assert below_home([tmp_path / "python"])


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl and a journalctl that write down how they are called, and fail where `fail` says so."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "systemctl").write_text(
        f'#!/bin/sh\necho "$@" >> {folder}/calls\n'
        f'if [ "$1" = "$(cat {folder}/fail 2>/dev/null)" ]; then echo "Job failed." >&2; exit 1; fi\n'
        f'if [ "$1" = show ]; then cat {folder}/show; fi\n'
    )
    (folder / "journalctl").write_text('#!/bin/sh\necho "2026-11-25T09:00:00+0000 door python[7]: line for $2"\n')
    for name in ("systemctl", "journalctl"):
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_install_writes_both_files_and_starts(tmp_path: Path, systemctl: Path) -> None:
    install(DOOR, SETTINGS, {"EDGE_SEG_SECRET_1": "rtsp://u:p@cam"}, root=tmp_path, run=run)
    unit, secrets = tmp_path / "etc/systemd/system/edge-seg-door.service", tmp_path / "etc/edge-seg/door.env"
    assert "User" in unit.read_text()
    assert (mode(unit), mode(secrets)) == ("0o644", "0o600")
    assert "EDGE_SEG_SECRET_1='rtsp://u:p@cam'\n" in secrets.read_text()
    assert calls(systemctl) == [
        "daemon-reload",
        "enable edge-seg-door.service",
        "restart --no-block edge-seg-door.service",
    ]


def test_installing_again_keeps_what_the_owner_wrote(tmp_path: Path, systemctl: Path) -> None:
    install(DOOR, SETTINGS, {"EDGE_SEG_SECRET_1": "old", "EDGE_SEG_SECRET_2": "older"}, root=tmp_path, run=run)
    secrets = tmp_path / "etc/edge-seg/door.env"
    secrets.write_text(secrets.read_text() + "MINE=1\n")
    install(DOOR, SETTINGS, {"EDGE_SEG_SECRET_1": "new"}, root=tmp_path, run=run)
    assert [line for line in secrets.read_text().splitlines() if line[0] != "#"] == [
        "MINE=1",
        "EDGE_SEG_SECRET_1='new'",
    ]
    assert mode(secrets) == "0o600"


@pytest.mark.parametrize("step", ["daemon-reload", "enable", "restart"])
def test_nothing_stays_of_a_service_that_systemd_refuses(tmp_path: Path, systemctl: Path, step: str) -> None:
    (systemctl / "fail").write_text(step)
    with pytest.raises(ServiceError, match="Job failed"):
        install(DOOR, SETTINGS, {}, root=tmp_path, run=run)
    assert not [path for path in (tmp_path / "etc").rglob("*") if path.is_file()]


def test_uninstall_keeps_results_and_purge_does_not(tmp_path: Path, systemctl: Path) -> None:
    install(DOOR, SETTINGS, {}, root=tmp_path, run=run)
    results = tmp_path / "var/lib/private/edge-seg/door"
    results.mkdir(parents=True)
    (results / "e.jsonl").touch()
    (tmp_path / "var/lib/edge-seg").mkdir()
    link = tmp_path / "var/lib/edge-seg/door"
    link.symlink_to("../private/edge-seg/door")
    left = uninstall(DOOR, purge=False, root=tmp_path, run=run)
    assert set(left) == {results, tmp_path / "etc/edge-seg/door.env"}
    assert calls(systemctl)[3:] == [
        "disable --now edge-seg-door.service",
        "daemon-reload",
        "reset-failed edge-seg-door.service",
    ]
    with pytest.raises(ServiceError, match="no such service"):
        uninstall(DOOR, purge=True, root=tmp_path, run=run)
    install(DOOR, SETTINGS, {}, root=tmp_path, run=run)
    assert uninstall(DOOR, purge=True, root=tmp_path, run=run) == ()
    assert not results.exists()
    assert not link.is_symlink()


SHOWN = """\
LoadState=loaded
ActiveState={active}
SubState={sub}
ActiveEnterTimestamp=Wed 2026-11-25 09:00:00 UTC
InactiveEnterTimestamp=Wed 2026-11-25 08:00:00 UTC
UnitFileState=enabled
NRestarts=2
StatusText=12.3 fps, 40 ms, 0 dropped; pet 12%
MainPID=77
Result={result}
ExecMainStatus=0
MemoryCurrent={memory}
"""


@pytest.mark.parametrize(
    ("active", "sub", "result", "memory", "running", "memory_mb", "since"),
    [
        ("active", "running", "success", "120000000", True, 120, "09:00"),
        ("active", "running", "success", "[not set]", True, None, "09:00"),
        ("active", "running", "success", str(2**64 - 1), True, None, "09:00"),
        ("failed", "failed", "watchdog", "0", False, 0, "08:00"),
        ("activating", "auto-restart", "exit-code", "0", False, 0, "08:00"),
    ],
)
def test_status(systemctl: Path, active, sub, result, memory, running, memory_mb, since) -> None:
    (systemctl / "show").write_text(SHOWN.format(active=active, sub=sub, result=result, memory=memory))
    status = read_status(DOOR, lines=3, run=run)
    assert (status.state, status.running, status.result) == (f"{active} ({sub})", running, result)
    assert (status.restarts, status.pid, status.memory_mb, status.at_boot) == (2, 77, memory_mb, True)
    assert since in status.since
    assert status.doing.startswith("12.3 fps")
    assert status.log == ("2026-11-25T09:00:00+0000 door python[7]: line for edge-seg-door.service",)


def test_status_of_a_service_that_is_not_there(systemctl: Path) -> None:
    (systemctl / "show").write_text("LoadState=not-found\nActiveState=inactive\n")
    with pytest.raises(ServiceError, match="service install --name door"):
        read_status(DOOR, lines=3, run=run)


@pytest.mark.parametrize("name", ["", "Door", "a b", "../etc", "-x", "a" * 33, "a.b", "ü"])
def test_names_that_are_no_file_names(name: str) -> None:
    with pytest.raises(ServiceError, match="cannot be the name"):
        check_name(name)


def test_programs_and_machines_without_systemd(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is not on this machine"):
        run("systemctl-of-nobody")
    with pytest.raises(ServiceError, match="not started by systemd"):
        check_booted(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    check_booted(tmp_path)


def test_the_sudo_line_has_full_paths_and_no_secrets() -> None:
    line = sudo_line(["service", "install", "--", "--source", "rtsp://u:p@cam", "--alert", "fire > 2%"])
    assert line == (f"sudo {sys.executable} -m edge_seg.cli service install -- --source '***' --alert 'fire > 2%'")


def edge_seg(*arguments: object, **kwargs) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **kwargs)


@pytest.mark.parametrize("command", ["install", "status", "uninstall"])
def test_help_has_an_example(command: str) -> None:
    done = edge_seg("service", command, "--help")
    assert done.returncode == 0
    assert f"edge-seg service {command}" in done.stdout.partition("Example:")[2]


def test_dry_run_prints_a_unit_that_systemd_accepts(tmp_path: Path) -> None:
    options = ["--source", "rtsp://user:hunter2@cam/x", "--out", "events.jsonl"]
    done = edge_seg("service", "install", "--name", "door", "--dry-run", "--", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert 'camera --source "${EDGE_SEG_SECRET_1}" --out events.jsonl --no-window\n' in done.stdout
    assert "would go to /etc/edge-seg/door.env: EDGE_SEG_SECRET_1" in done.stderr
    unit = tmp_path / DOOR.unit
    unit.write_text(done.stdout)
    assert (verify(unit).returncode, verify(unit).stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["install", "--dry-run", "--", "--bogus"], 2, "No such option: --bogus"),
        (["install", "--dry-run", "--memory-max", "lots"], 1, "'lots' is no limit"),
        (["install", "--dry-run", "--name", "My Door"], 1, "--name door"),
        (["install", "--dry-run", "--", "--model", "absent.tflite"], 1, "absent.tflite: no such file"),
        (["install", "--dry-run", "--", "--out", "/mnt/usb/o.mp4"], 1, "--writable /mnt/usb"),
        (["install", "--dry-run", "--writable", "/mnt", "--", "--out", "/mnt/usb/o.mp4"], 0, ""),
        (["status", "--name", "../x"], 1, "cannot be the name"),
    ],
)
def test_wrong_calls_are_explained(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    done = edge_seg("service", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_options_are_spelled_so_that_they_are_read_again() -> None:
    typed = [
        "--size",
        "640x480",
        "--pixel-format",
        "MJPEG",
        "--retries",
        "forever",
        "--rotate",
        "10m",
        "--rotate-size",
        "1GB",
        "--smooth",
        "0.5s",
    ]
    once = parse_camera(typed)
    assert once.words[:2] == ("--size", "640x480")
    assert parse_camera(once.words).values == once.values | {"no_window": True}
