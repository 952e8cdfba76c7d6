"""What is read from the board around a block: fake files of /proc and /sys, and a fake firmware."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from edge_seg.doctor.power import Throttling
from edge_seg_bench.conditions import Watch, read_clock_mhz, was_held_back

CPUINFO = "processor\t: 0\ncpu MHz\t\t: 800.125\n\nprocessor\t: 1\ncpu MHz\t\t: 2596.000\n"


@pytest.fixture
def board(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("files", "clock_mhz"),
    [
        ({"sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n"}, 1500.0),
        (
            {
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "600000\n",
                "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": "2400000\n",
                "proc/cpuinfo": CPUINFO,
            },
            2400.0,
        ),
        ({"sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "<unknown>\n", "proc/cpuinfo": CPUINFO}, 2596.0),
        ({"proc/cpuinfo": CPUINFO}, 2596.0),
        ({"proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\n"}, None),
        ({}, None),
    ],
)
def test_the_clock_is_of_the_fastest_core(
    board: Callable[[dict[str, str]], Path], files: dict[str, str], clock_mhz: float | None
) -> None:
    assert read_clock_mhz(board(files)) == clock_mhz


@pytest.mark.parametrize(
    ("bits", "held_back"),
    [
        ([], False),
        ([0, 0], False),
        ([0x50000, 0x50000], False),
        ([0, 0x4], True),
        ([0x4, 0], True),
        ([0, 0x1, 0], True),
        ([0, 0x40000], True),
        ([0x10000, 0x50000], True),
        ([0xF0000, 0xF0008, 0xF0000], True),
    ],
)
def test_held_back_means_now_or_newly_since_boot(bits: list[int], held_back: bool) -> None:
    assert was_held_back([Throttling(one) for one in bits]) is held_back


def test_conditions_of_a_raspberry_pi(board: Callable[[dict[str, str]], Path]) -> None:
    root = board(
        {
            "sys/class/thermal/thermal_zone0/temp": "61850\n",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000\n",
            "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "50004\n",
        }
    )
    with Watch(root).block() as block:
        pass
    seen = block.before
    assert (seen.temperature_c, seen.clock_mhz) == (61.85, 2400.0)
    assert seen.throttling == ("throttled now", "under-voltage since boot", "throttled since boot")


def test_a_machine_that_tells_nothing_is_not_throttled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    watch = Watch(tmp_path)
    with watch.block() as seen:
        pass
    assert (seen.after.temperature_c, seen.after.clock_mhz, seen.after.throttling) == (None, None, None)
    assert (seen.throttled, seen.energy_j, watch.available_bytes()) == (False, None, None)


def test_what_happens_in_the_middle_of_a_block_is_seen(tmp_path: Path) -> None:
    asked = Event()
    answers = iter(["throttled=0x50000", "throttled=0x50005"])

    def firmware() -> str:
        answer = next(answers, None)
        if answer is None:
            asked.set()
        return answer or "throttled=0x50000"

    watch = Watch(tmp_path, firmware)
    with watch.block() as seen:
        assert asked.wait(30)
    assert seen.throttled
    assert seen.after.throttling == ("under-voltage since boot", "throttled since boot")
    with watch.block() as seen:
        pass
    assert not seen.throttled


def test_available_memory_is_the_kernels_own_estimate(board: Callable[[dict[str, str]], Path]) -> None:
    root = board({"proc/meminfo": "MemTotal:  440000 kB\nMemFree:  10000 kB\nMemAvailable:  250000 kB\n"})
    assert Watch(root).available_bytes() == 250_000 * 1024
