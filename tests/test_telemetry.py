from dataclasses import dataclass

import pytest

from alert_events import alert_event
from device_fixtures import frame, half_red_half_blue, result
from edge_seg.model_identity import ModelIdentity
from edge_seg.telemetry import Board, BoardReading, ShareHistory, Telemetry


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Camera:
    telemetry: Telemetry
    clock: Clock
    told: list[int]

    def see(self, **numbers: float) -> None:
        self.telemetry.observe(result(frame(), **numbers))


@pytest.fixture
def camera() -> Camera:
    clock, told = Clock(), []
    board = Board(lambda: 48.5, lambda: ())
    telemetry = Telemetry(["red", "blue"], board=board, clock=clock)
    telemetry.listen(lambda: told.append(1))
    return Camera(telemetry, clock, told)


def test_it_counts_every_result_and_keeps_the_newest_numbers(camera: Camera) -> None:
    for dropped in range(3):
        camera.see(fps=20.0, dropped=dropped, age_ms=12.0)
    state = camera.telemetry.state()
    assert (state.frames, state.dropped, state.fps, state.age_ms) == (3, 2, 20.0, 12.0)
    assert (state.width, state.height) == (48, 32)
    assert state.shares == pytest.approx({"red": 0.5, "blue": 0.5})
    assert state.board == BoardReading(48.5, ())


def test_shares_are_looked_at_ten_times_a_second_at_most(camera: Camera) -> None:
    all_red = half_red_half_blue()
    all_red[:] = (255, 0, 0)
    camera.see()
    camera.clock.now += 0.05
    camera.telemetry.observe(result(frame(image=all_red)))
    assert camera.telemetry.state().shares["red"] == 0.5
    camera.clock.now += 0.06
    camera.telemetry.observe(result(frame(image=all_red)))
    assert camera.telemetry.state().shares["red"] == 1.0


@pytest.mark.parametrize(
    ("fps", "silent_s", "condition"),
    [(20.0, 0.0, "live"), (20.0, 2.9, "live"), (20.0, 3.1, "stalled"), (0.1, 29.0, "live"), (0.1, 31.0, "stalled")],
)
def test_a_silent_source_has_stalled_by_its_own_rate(
    camera: Camera, fps: float, silent_s: float, condition: str
) -> None:
    camera.see(fps=fps)
    camera.clock.now += silent_s
    state = camera.telemetry.state()
    assert state.source.condition == condition
    assert state.fps == (fps if condition == "live" else 0.0)


def test_the_source_goes_through_its_conditions(camera: Camera) -> None:
    telemetry = camera.telemetry
    assert telemetry.state().source.condition == "starting"
    telemetry.trouble("camera unplugged")
    telemetry.trouble("camera unplugged")
    assert telemetry.state().source.sentence == "camera unplugged"
    assert telemetry.state().troubles == 1
    told = len(camera.told)
    camera.see(fps=9.0)
    assert telemetry.state().source.condition == "live"
    assert len(camera.told) == told + 1
    telemetry.end()
    assert telemetry.state().source.condition == "ended"


def test_alerts_are_active_until_cleared_and_remembered_newest_first(camera: Camera) -> None:
    for state, time in (("raised", 1.0), ("cleared", 2.0), ("raised", 3.0)):
        camera.telemetry.alert(alert_event("fire > 2%", state, time, 0.03))
        camera.telemetry.alert(alert_event("pond < 5%", state, time, 0.01))
    camera.telemetry.alert(alert_event("pond < 5%", "cleared", 4.0, 0.06))
    camera.telemetry.alert(alert_event("fire > 2%", "test", 5.0))
    state = camera.telemetry.state()
    assert [alert.rule for alert in state.active_alerts] == ["fire > 2%"]
    assert [alert.time for alert in state.recent_alerts][:3] == [5.0, 4.0, 3.0]
    assert state.alerts_raised == {"fire > 2%": 2, "pond < 5%": 2}
    assert len(camera.told) == 8


def test_what_may_be_counted_later_begins_at_zero() -> None:
    telemetry = Telemetry(["red"], outputs=["a.jsonl"])
    telemetry.watch_alerts(["fire > 2%"], lambda: {"siren": 1})
    state = telemetry.state()
    assert state.sink_errors == {"a.jsonl": 0}
    assert state.alerts_raised == {"fire > 2%": 0}
    assert state.alerts_waiting == {"siren": 1}


def test_sink_errors_are_counted_by_output(camera: Camera) -> None:
    for name in ("a.jsonl", "a.jsonl", "b.mp4"):
        camera.telemetry.sink_error(name, f"{name}: the disk is full")
    state = camera.telemetry.state()
    assert state.sink_errors == {"a.jsonl": 2, "b.mp4": 1}
    assert state.last_sink_error is not None
    assert (state.last_sink_error.sink, state.last_sink_error.sentence) == ("b.mp4", "b.mp4: the disk is full")


def test_the_first_result_and_another_model_are_told_at_once(camera: Camera) -> None:
    camera.see()
    assert len(camera.told) == 1
    camera.see()
    assert len(camera.told) == 1
    camera.telemetry.model_changed(ModelIdentity("next", "b" * 64, 7))
    assert len(camera.told) == 2
    assert camera.telemetry.state().model == ModelIdentity("next", "b" * 64, 7)


def test_history_is_one_mean_per_second_with_gaps() -> None:
    history = ShareHistory(span_s=10)
    for time_s, share in ((0.0, 0.2), (0.9, 0.4), (1.0, 1.0), (5.5, 0.5)):
        history.add(time_s, [share])
    assert history.seconds(5.6) == [(0, (pytest.approx(0.3),)), (1, (1.0,)), (5, (0.5,))]
    assert [second for second, _ in history.seconds(11.0)] == [1, 5]


def test_history_is_bounded() -> None:
    history = ShareHistory(span_s=10)
    for second in range(100):
        history.add(second, [0.0])
    assert len(history.seconds(99.0)) == 11


def test_the_board_is_read_every_five_seconds() -> None:
    clock, reads = Clock(), []
    board = Board(lambda: float(len(reads)) if reads.append(1) is None else None, lambda: None, clock=clock)
    for seconds, expected in ((0.0, 1.0), (4.9, 1.0), (0.2, 2.0)):
        clock.now += seconds
        assert board.read().temperature_c == expected
