"""The camera command on a real /dev/video0, watched from inside the emulated machine; writes findings.json.

python arm64_camera.py FRAMES
"""

import fcntl
import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EDGE_SEG = [sys.executable, "-m", "edge_seg.cli"]
DEVICE = "/dev/video0"
ASKED = ["--size", "1280x720", "--rate", "25", "--pixel-format", "YUYV"]
# include/uapi/linux/videodev2.h, and drivers/media/test-drivers/vivid/vivid-ctrls.c
VIDIOC_G_FMT, FORMAT_BYTES, VIDEO_CAPTURE = 0xC0D05604, 208, 1
VIDIOC_S_CTRL, VIVID = 0xC008561C, 0x00F0F000
DROPPED_PERCENTAGE, DISCONNECT, CORRUPT_BUFFER, STREAM_ERROR = VIVID + 64, VIVID + 65, VIVID + 66, VIVID + 70
STALL_S = 5.0  # longer than a source waits for a frame


def main(frames: str) -> None:
    findings = {
        "doctor": json.loads(
            subprocess.run([*EDGE_SEG, "doctor", "--json"], check=True, stdout=subprocess.PIPE).stdout
        ),
        "memory_kb": colon_table("/proc/meminfo")["MemTotal"],
        "camera": camera([*ASKED, "--max-frames", frames, "--out", "events.jsonl"], watch_format),
        "faults": camera(["--out", "faults.jsonl"], make_faults),
        "out_of_memory_kills": vmstat()["oom_kill"],
    }
    Path("findings.json").write_text(json.dumps(findings))


def camera(options: list[str], meanwhile: Callable[[subprocess.Popen[bytes], Path], dict]) -> dict:
    """Run the camera, do something `meanwhile`, and return what was found out."""
    command = [*EDGE_SEG, "camera", "--source", DEVICE, "--no-window", *options]
    with Path(f"{Path(options[-1]).stem}.txt").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        memory = MemoryWatch(process.pid)
        found = meanwhile(process, Path(options[-1]))
        exit_code = process.wait()
        return found | {"exit_code": exit_code, "peak_memory_kb": memory.peak_kb, "available_kb": memory.available_kb}


def watch_format(process: subprocess.Popen[bytes], events: Path) -> dict:
    wait_for_lines(events, 3, process)
    return {"format": current_format()}


def make_faults(process: subprocess.Popen[bytes], events: Path) -> dict:
    """Let the driver fail in all of its ways; return after what time frames came again."""
    faults = {"unplugged": unplug, "stalled": stall, "stream error": break_stream, "corrupt buffer": corrupt_buffer}
    wait_for_lines(events, 3, process)
    back_after_s = {}
    for name, fault in faults.items():
        fault()
        started, before = time.monotonic(), count_lines(events)
        wait_for_lines(events, before + 4, process)
        back_after_s[name] = time.monotonic() - started if count_lines(events) >= before + 4 else None
    process.terminate()
    return {"back_after_s": back_after_s}


def unplug() -> None:
    """Pull the plug; vivid puts it back once nobody has the device open."""
    set_control(DISCONNECT, 1)


def stall() -> None:
    set_control(DROPPED_PERCENTAGE, 100)
    time.sleep(STALL_S)
    set_control(DROPPED_PERCENTAGE, 0)


def break_stream() -> None:
    set_control(STREAM_ERROR, 1)


def corrupt_buffer() -> None:
    set_control(CORRUPT_BUFFER, 1)


def set_control(control: int, value: int) -> None:
    device = os.open(DEVICE, os.O_RDWR)
    fcntl.ioctl(device, VIDIOC_S_CTRL, struct.pack("Ii", control, value))
    os.close(device)


def wait_for_lines(events: Path, count: int, process: subprocess.Popen[bytes], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while count_lines(events) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)


def count_lines(events: Path) -> int:
    return events.read_bytes().count(b"\n") if events.exists() else 0


def current_format() -> dict:
    """Ask the driver in what format it gives pictures now."""
    device = os.open(DEVICE, os.O_RDWR)
    answer = fcntl.ioctl(device, VIDIOC_G_FMT, struct.pack("I", VIDEO_CAPTURE).ljust(FORMAT_BYTES, b"\0"))
    os.close(device)
    width, height, fourcc = struct.unpack_from("II4s", answer, 8)
    return {"width": width, "height": height, "fourcc": fourcc.decode()}


class MemoryWatch(threading.Thread):
    """The most memory a process had, and the least that was left."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_kb, self.available_kb = 0, colon_table("/proc/meminfo")["MemAvailable"]
        self._status = f"/proc/{pid}/status"
        self.start()

    def run(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            while "VmHWM" in (status := colon_table(self._status)):
                self.peak_kb = status["VmHWM"]
                self.available_kb = min(self.available_kb, colon_table("/proc/meminfo")["MemAvailable"])
                time.sleep(0.3)


def colon_table(path: str) -> dict[str, int]:
    """Read the sizes of /proc/meminfo, or of a process's status."""
    pairs = (line.split() for line in Path(path).read_text().splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) for name, size, _ in pairs}


def vmstat() -> dict[str, int]:
    return {name: int(count) for name, count in map(str.split, Path("/proc/vmstat").read_text().splitlines())}


main(*sys.argv[1:])
