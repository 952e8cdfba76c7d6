"""A simulated fleet: its plan, its judgement, and a small one run end to end over a restart of the broker."""

import json
import random
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_seg.alerts import Alarm, AlertEvent, Origin, parse_rules
from edge_seg.result import Result
from edge_seg.sources.frame import Frame
from edge_seg_bench.fleet.drivers import split_cameras
from edge_seg_bench.fleet.observed import FleetSettings, Restart
from edge_seg_bench.fleet.pictures import Scene, photograph
from edge_seg_bench.fleet.plan import FPS, REGION, WATCHED, Incident, PlannedEvent, plan_camera, planned_events
from edge_seg_bench.fleet.receiver import Arrival, Receiver, read_arrival, read_retained
from edge_seg_bench.fleet.report import FleetReport, make_report
from edge_seg_bench.fleet.run import run_fleet
from edge_seg_bench.fleet.table import markdown
from edge_seg_bench.fleet.verdict import delays, judge
from edge_seg_bench.recording import read_recorded

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "edge" / "fleet"
RESULTS = ROOT / "benchmarks" / "results"


def event(frame: int, kind: Any = "raised", device: str = "a", alert: str = "fire") -> PlannedEvent:
    return PlannedEvent(device, frame, alert, kind)


def arrival(planned: PlannedEvent, event_id: str | None = None, after_s: float = 0.5) -> Arrival:
    return Arrival(event_id or str(planned), planned, planned.frame / FPS, planned.frame / FPS + after_s)


@pytest.mark.parametrize(
    ("incident", "events"),
    [
        (Incident("fire", 10, FPS), []),  # over just before the alert
        (Incident("fire", 10, FPS + 1), [event(14), event(15, "cleared")]),
        (
            Incident("flood", 3, 20),
            [event(3 + 2 * FPS, alert="flood"), event(23, "cleared", alert="flood")],
        ),
    ],
)
def test_what_an_incident_leads_to(incident: Incident, events: list[PlannedEvent]) -> None:
    assert list(planned_events("a", [incident])) == events


@pytest.mark.parametrize("number", range(5))
def test_the_alarm_does_what_was_planned(number: int) -> None:
    frames = 120 * FPS
    incidents = plan_camera(7, number, frames)
    raised: list[AlertEvent] = []
    rules = parse_rules([watched.rule for watched in WATCHED], [REGION])
    alarm = Alarm(rules, Origin("a", "a"), lambda one, _: raised.append(one), clock=lambda frame: frame.index / FPS)
    scene, picture = Scene(incidents, random.Random(number)), photograph()
    for index in range(frames):
        alarm.observe(Result(Frame(picture, index, 0.0, ""), scene.segmentation(index)))
    assert {event(one.frame, one.kind, alert=one.alert) for one in raised} == set(planned_events("a", incidents))
    assert len(raised) > 4
    assert len(raised) < 2 * len(incidents)  # some were over too soon


def test_the_seed_decides_on_the_plan() -> None:
    plans = {(seed, number): plan_camera(seed, number, 2000) for seed in (1, 2) for number in (0, 1)}
    assert len(set(plans.values())) == 4
    assert plan_camera(2, 1, 2000) == plans[2, 1]


@pytest.mark.parametrize(
    ("cameras", "processes"),
    [((8, 1, 50), [(0, 1), (1, 7)]), ((200, 5, 50), [(0, 5), (5, 48), (53, 49), (102, 49), (151, 49)])],
)
def test_cameras_are_split_over_processes(cameras: tuple[int, int, int], processes: list[tuple[int, int]]) -> None:
    assert split_cameras(*cameras) == processes


PLANNED = [event(4), event(9, "cleared"), event(4, device="b")]
ON_TIME = [arrival(item) for item in PLANNED]


@pytest.mark.parametrize(
    ("arrivals", "lost", "unplanned", "duplicates", "out_of_order"),
    [
        (ON_TIME, 0, 0, 0, 0),
        (ON_TIME[::-1], 0, 0, 0, 1),
        (ON_TIME[1:], 1, 0, 0, 0),
        ([*ON_TIME, ON_TIME[0]], 0, 0, 1, 0),  # a copy is late by nature
        ([*ON_TIME, arrival(event(9, "cleared"), "another id")], 0, 1, 0, 0),
        ([*ON_TIME, arrival(event(12))], 0, 1, 0, 0),
        ([], 3, 0, 0, 0),
    ],
)
def test_arrivals_are_judged(
    arrivals: list[Arrival], lost: int, unplanned: int, duplicates: int, out_of_order: int
) -> None:
    found = judge(PLANNED, arrivals)
    counts = (len(found.lost), found.unplanned, found.duplicates, found.out_of_order)
    assert counts == (lost, unplanned, duplicates, out_of_order)


def test_delays_are_those_from_the_picture_on() -> None:
    assert delays([]) is None
    items = [arrival(event(0), after_s=seconds) for seconds in (0.1, 0.3, 0.2)]
    found = delays(items)
    assert found is not None
    assert (found.events, found.median_s, found.p99_s, found.longest_s) == (3, 0.2, pytest.approx(0.298), 0.3)


@pytest.fixture
def programs() -> None:
    """Skip where something is not installed."""
    for module, extra in (("paho", "mqtt"), ("starlette", "web")):
        pytest.importorskip(module, reason=f"needs edge-seg[{extra}]")
    for program, package in (("mosquitto", "mosquitto"), ("prometheus", "prometheus"), ("openssl", "openssl")):
        if shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
            pytest.skip(f"{program} is not installed: apt-get install {package}")


def hastened(folder: Path) -> Path:
    """Return the shipped settings with a Prometheus that looks every second, for a run of ten."""
    shutil.copytree(CONFIG, folder)
    for name, slow, quick in (("prometheus.yml", "15s", "1s"), ("rules.yml", "for: 2m", "for: 2s")):
        text = (folder / name).read_text()
        assert slow in text
        (folder / name).write_text(text.replace(slow, quick))
    return folder


@pytest.mark.usefixtures("programs")
def test_a_small_fleet_loses_nothing_over_a_restart_and_a_loss_is_noticed(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs edge-seg[report]")
    from edge_seg_bench.fleet.plot import plot

    settings = FleetSettings(8, 10.0, 12, hastened(tmp_path / "config"), away_s=1.0)
    said: list[str] = []
    observed = run_fleet(tmp_path, settings, said.append)
    report = make_report(observed)
    assert report.missed == ()
    assert (report.planned, report.arrived, report.killed) == (len(observed.planned), len(observed.planned), 1)
    assert report.planned > 20
    assert said == [
        "8 cameras start",
        "the broker goes (SIGTERM)",
        "8 cameras are online again",
        "1 cameras are killed",
        "waiting for the last events",
        "waiting for Prometheus",
    ]
    assert "Every target was met." in markdown(report)
    assert FleetReport.model_validate_json(report.model_dump_json()) == report
    plot(tmp_path / "fleet.png", report)

    forgotten = replace(observed, arrivals=observed.arrivals[:-1])
    assert make_report(forgotten).missed == (f"1 of {report.planned} events were lost",)
    others = {topic: text for topic, text in observed.retained.items() if topic != "edge-seg/camera000/status"}
    assert make_report(replace(observed, retained=others)).missed == (
        "1 retained messages are wrong: camera000: status is None, not offline",
    )
    miscounted = replace(observed.scraped, raised={**observed.scraped.raised, "camera007": 99})
    assert make_report(replace(observed, scraped=miscounted)).missed == (
        "Prometheus has other counts of alerts for 1 cameras",
    )


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(("by", "kept"), [(signal.SIGTERM, 1), (signal.SIGKILL, 0)])
def test_what_a_broker_has_confirmed_is_safe_only_once_it_is_saved(
    tmp_path: Path, by: signal.Signals, kept: int
) -> None:
    """Why a killed broker may lose what no subscriber had taken yet, whatever a camera does."""
    from edge_seg.alerts.broker import parse_broker
    from edge_seg.alerts.event import sample_event
    from edge_seg.alerts.mqtt import OneMessage
    from edge_seg_bench.fleet.broker import open_broker, password_of

    broker, access = open_broker(tmp_path, CONFIG, ["porch"])
    try:
        Receiver(access).close()
        broker.end(signal.SIGTERM)  # the session is saved
        broker.start()
        uri = f"mqtts://porch@localhost:{access.port}"
        camera = OneMessage(parse_broker(uri, "porch", password=password_of("porch"), ca_file=access.ca_file))
        rule = parse_rules(["fire > 2%"])[0]
        camera.deliver(sample_event(rule, Origin("porch", "cam"), 0.0))  # returns: the broker has confirmed it
        broker.end(by)
        broker.start()
        receiver = Receiver(access)
        read_retained(access)  # by then, all that waited has been sent
        receiver.close()
        assert (len(receiver.arrivals), receiver.sessions_lost) == (kept, 0)
    finally:
        broker.close()


def test_an_events_record_is_read() -> None:
    record = {"id": "1", "event": "cleared", "alert": "fire", "time": "1970-01-01T00:00:02.500+00:00"}
    found = read_arrival(json.dumps({**record, "device": "a", "frame": 9, "share": 0.5}).encode(), 3.0)
    assert found == Arrival("1", event(9, "cleared"), 2.5, 3.0)


def recorded(name: str) -> FleetReport:
    report = read_recorded(RESULTS / f"{name}.json", FleetReport, made_by="python -m edge_seg_bench.fleet")
    assert (RESULTS / f"{name}.md").read_text() == markdown(report)
    assert (report.cameras, report.missed) == (200, ())
    return report


def test_what_the_docs_claim_is_what_was_recorded() -> None:
    asked, killed = recorded("fleet"), recorded("fleet_killed")
    assert (asked.minutes, [outage.by for outage in asked.outages]) == (10, [Restart.TERM])
    assert (killed.minutes, [outage.by for outage in killed.outages]) == (3, [Restart.KILL, Restart.KILL])
    assert (asked.failed_scrapes, asked.duplicates) == (0, 0)
    quiet, (outage,) = asked.quiet, asked.outages
    assert quiet is not None
    assert outage.delays is not None
    page = (ROOT / "docs" / "fleet.md").read_text()
    for claim in (
        f"{asked.planned:,} planned and {asked.arrived:,} arrived",
        f"{1000 * quiet.median_s:.0f} ms in the median, {1000 * quiet.p99_s:.0f} ms at the 99th percentile",
        f"{outage.delays.longest_s:.1f} s at most",
        f"gone for {outage.gone_s:.1f} s; all 200 cameras were back {outage.back_after_s:.1f} s after its start",
        f"{killed.arrived:,} of {killed.planned:,} events arrived",
        *(f"{usage.cpu_percent:.1f} %" for name, usage in asked.usage.items() if name in ("mosquitto", "Prometheus")),
    ):
        assert claim in page
