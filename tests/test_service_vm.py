"""The service under the real systemd: an emulated arm64 machine of 512 MB with a V4L2 camera, about five minutes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / "shared/tools/pi"
PROGRAMS = ("qemu-system-aarch64", "qemu-aarch64", "cpio", "depmod", "mke2fs", "apt-get")

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not TOOLS.is_dir(), reason=f"needs {TOOLS}"),
    pytest.mark.skipif(os.getuid() != 0, reason="needs root, as apt and device files do"),
    *(pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name}") for name in PROGRAMS),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the script printed in the machine, by its headings."""
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(HERE.parent)]
    subprocess.run(pip, check=True, stdout=subprocess.DEVNULL)
    work = Path(tempfile.gettempdir()) / f"edge-seg-service-vm-{os.getuid()}"
    command = ["bash", HERE / "service_vm.sh", work, TOOLS, site, HERE / "service_vm_script.sh"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2300, check=False)
    sections = done.stdout.split("=== ")[1:]
    found = {heading: text for heading, _, text in (section.partition("\n") for section in sections)}
    assert "end" in found, done.stdout[-3000:] + done.stderr[-1000:]
    return found


def test_the_doctor_sees_the_camera(seen: dict[str, str]) -> None:
    assert "vivid (vivid)" in seen["doctor"]
    assert re.search(r"XNNPACK takes (\d+) of (\d+) nodes", seen["doctor"])
    assert "exit code 0" in seen["doctor"]


def test_the_camera_starts_and_says_what_it_does(seen: dict[str, str]) -> None:
    assert "exit code 0" in seen["install"]
    assert "active (running)" in seen["status"]
    assert " fps, " in seen["status"]
    assert int(seen["results"]) > 0


def test_it_is_nobody_and_confined(seen: dict[str, str]) -> None:
    fields = dict(line.split(":", 1) for line in seen["process"].splitlines() if ":" in line)
    assert int(fields["Uid"].split()[0]) > 60000
    assert "44" in fields["Groups"].split()  # video
    assert (fields["Seccomp"].strip(), fields["NoNewPrivs"].strip()) == ("2", "1")
    assert int(fields["CapBnd"], 16) == 0


def test_a_hang_ends_with_the_watchdog_and_a_restart(seen: dict[str, str]) -> None:
    assert "Failed with result 'watchdog'" in seen["hang"]
    assert "Fatal Python error: Aborted" in seen["hang"]
    assert "active (running)" in seen["hang"]
    assert "restarts 1" in " ".join(seen["hang"].split())


def test_a_killed_camera_comes_back(seen: dict[str, str]) -> None:
    assert "NRestarts=2" in seen["killed"]


def test_uninstalling_needs_root_and_leaves_nothing(seen: dict[str, str]) -> None:
    assert "type  sudo /opt/edge-seg/bin/python3 -m edge_seg.cli service uninstall" in seen["not root"]
    assert seen["uninstall"].splitlines() == ["edge-seg-door.service is stopped and removed", "exit code 0"]
    assert "is not installed" in seen["gone"]
