"""The meters of energy, on the text a Raspberry Pi 5 prints and on fake files of /sys."""

from pathlib import Path

import pytest

from edge_seg_bench.energy import Reading, counted_j, find_meter, integrated_j, pmic_power_w
from fake_firmware import install_vcgencmd

# The form is what a Raspberry Pi 5 prints: currents first, channels out of order, EXT5V and BATT without a current.
PMIC_TEXT = """\
 3V7_WL_SW_A current(0)=0.05000000A
   3V3_SYS_A current(1)=0.10000000A
  DDR_VDDQ_A current(4)=0.00000000A
  VDD_CORE_A current(7)=2.00000000A
   0V8_AON_A current(16)=0.01000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  DDR_VDDQ_V volt(12)=0.60000000V
  VDD_CORE_V volt(15)=0.90000000V
   0V8_AON_V volt(19)=0.80000000V
     EXT5V_V volt(24)=5.10000000V
      BATT_V volt(25)=0.00598290V
"""
PMIC_W = 0.185 + 0.33 + 0 + 1.8 + 0.008


@pytest.mark.parametrize(
    ("text", "power_w"),
    [
        (PMIC_TEXT, PMIC_W),
        ("VDD_CORE_A current(7)=2.5A\nVDD_CORE_V volt(15)=0.8V\n", 2.0),
        ("VDD_CORE_A current(7)=2.5A\nVDD_CORE_V volt(15)=nanV\n", None),
        ("VDD_CORE_A current(7)=2.5A\n", None),
        ("EXT5V_V volt(24)=5.1V\n", None),
        ('error=1 error_msg="Command not registered"\n', None),
        ("", None),
    ],
)
def test_power_is_the_sum_over_the_rails_that_have_both(text: str, power_w: float | None) -> None:
    assert pmic_power_w(text) == pytest.approx(power_w)


@pytest.mark.parametrize(
    ("readings", "joules"),
    [
        ([(10.5, 4.0)], 8.0),
        ([(10.0, 2.0), (12.0, 4.0)], 6.0),
        ([(10.5, 2.0), (11.5, 4.0)], 0.5 * 2 + 3.0 + 0.5 * 4),
        ([(9.9, 100.0), (11.0, 3.0), (12.1, 100.0)], 6.0),
        ([(9.9, 100.0), (12.1, 100.0)], None),
        ([], None),
    ],
)
def test_watts_are_integrated_over_the_block_alone(readings: list[tuple[float, float]], joules: float | None) -> None:
    assert integrated_j([Reading(*reading) for reading in readings], 10.0, 12.0) == joules


@pytest.mark.parametrize(
    ("counts_j", "joules"), [([5, 6, 9], 4), ([90, 98, 3], 13), ([7, 7], 0), ([7], None), ([], None)]
)
def test_a_counter_of_joules_may_start_again(counts_j: list[float], joules: float | None) -> None:
    assert counted_j([Reading(0, count) for count in counts_j], range_j=100) == joules


def test_a_board_without_a_meter_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_meter(tmp_path) is None


def test_the_processors_counter_is_read_from_sys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    package = tmp_path / "sys/class/powercap/intel-rapl:0"
    package.mkdir(parents=True)
    for name, text in {"name": "package-0\n", "energy_uj": "99000000\n", "max_energy_range_uj": "100000000\n"}.items():
        (package / name).write_text(text)
    meter = find_meter(tmp_path)
    assert meter is not None
    assert meter.name == "RAPL package-0 of the processor, without the rest of the machine"
    first = meter.read()
    (package / "energy_uj").write_text("2000000\n")
    second = meter.read()
    assert first is not None
    assert second is not None
    assert meter.energy_j([first, second], 0, 1) == pytest.approx(3.0)


def test_the_boards_power_manager_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_vcgencmd(tmp_path / "firmware", monkeypatch, pmic_read_adc=PMIC_TEXT)
    meter = find_meter(tmp_path)
    assert meter is not None
    assert meter.name == "PMIC rails of the board, without what hangs on 5 V"
    reading = meter.read()
    assert reading is not None
    assert reading.value == pytest.approx(PMIC_W)


def test_an_older_board_answers_without_rails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_vcgencmd(tmp_path / "firmware", monkeypatch, get_throttled="throttled=0x0\n")
    assert find_meter(tmp_path) is None
