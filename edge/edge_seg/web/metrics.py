"""The run as Prometheus metrics. Names and units follow https://prometheus.io/docs/practices/naming/."""

from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_seg import __version__
from edge_seg.telemetry import Condition, State, Telemetry

_STAGES = ("preprocess", "invoke", "postprocess")


class Metrics:
    """Renders telemetry and the process's memory, descriptors and CPU time as Prometheus text."""

    def __init__(self, telemetry: Telemetry, viewers: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_TelemetryCollector(telemetry, viewers))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its content type: what the Accept header asks for, the classic format or OpenMetrics."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # of a version that is no number
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type


class _TelemetryCollector(Collector):
    def __init__(self, telemetry: Telemetry, viewers: Callable[[], int]) -> None:
        self._telemetry, self._viewers = telemetry, viewers

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        state = self._telemetry.state()
        yield _info(state)
        yield GaugeMetricFamily("edge_seg_viewers", "Browsers that look at the picture.", self._viewers())
        yield from _rate(state)
        yield _gauge("edge_seg_area_share", "Share of the picture's area, 0 to 1.", "class", _seen(state))
        yield from _board(state)
        yield from _source(state)
        yield from _alerts(state)
        yield _counter("edge_seg_sink_errors", "Writes that failed.", "sink", state.sink_errors)
        yield _counter("edge_seg_model_updates", "What came of new models.", "outcome", state.model_updates)


def _seen(state: State) -> Mapping[str, float]:
    """Return the shares of what is seen now: nothing while no pictures come."""
    return state.shares if state.source.condition == "live" else {}


def _info(state: State) -> Metric:
    labels = {"version": __version__}
    if state.model is not None:
        labels |= {"model": state.model.name, "model_sha256": state.model.sha256}
    if state.model is not None and state.model.version is not None:
        labels |= {"model_version": str(state.model.version)}
    return InfoMetricFamily("edge_seg", "Version and model.", labels)


def _rate(state: State) -> Iterator[Metric]:
    yield CounterMetricFamily("edge_seg_frames", "Frames that went through the model.", state.frames)
    yield CounterMetricFamily("edge_seg_frames_dropped", "Frames the model had no time for.", state.dropped)
    yield GaugeMetricFamily("edge_seg_frames_per_second", "Results per second; 0 when the source is silent.", state.fps)
    if state.last_result_at is None:
        return
    yield GaugeMetricFamily(
        "edge_seg_last_result_timestamp_seconds", "When the newest result was made.", state.last_result_at
    )
    yield GaugeMetricFamily("edge_seg_frame_age_seconds", "From capture to result.", state.age_ms / 1000)
    stages = {stage: getattr(state, f"{stage}_ms") / 1000 for stage in _STAGES}
    yield _gauge("edge_seg_stage_seconds", "Time spent on the newest frame.", "stage", stages)


def _board(state: State) -> Iterator[Metric]:
    if state.board.temperature_c is not None:
        yield GaugeMetricFamily("edge_seg_temperature_celsius", "The processor's.", state.board.temperature_c)
    if state.board.throttling is not None:
        now = any(reason.endswith(" now") for reason in state.board.throttling)
        yield GaugeMetricFamily("edge_seg_throttled", "1 while the board is held back.", int(now))
        reasons = dict.fromkeys(state.board.throttling, 1)
        yield _gauge("edge_seg_throttling", "What holds the board back, or did.", "reason", reasons)


def _source(state: State) -> Iterator[Metric]:
    condition = state.source.condition
    yield GaugeMetricFamily("edge_seg_source_up", "1 while pictures come.", int(condition == "live"))
    conditions = {name: int(name == condition) for name in get_args(Condition)}
    yield _gauge("edge_seg_source_condition", "1 for the condition the source is in.", "condition", conditions)
    yield CounterMetricFamily("edge_seg_source_troubles", "How often the source was in trouble.", state.troubles)


def _alerts(state: State) -> Iterator[Metric]:
    holding = {alert.rule for alert in state.active_alerts}
    active = {rule: int(rule in holding) for rule in state.alerts_raised}
    yield _gauge("edge_seg_alert_active", "1 while the rule holds.", "rule", active)
    yield _counter("edge_seg_alerts_raised", "How often the rule was raised.", "rule", state.alerts_raised)
    waiting = "Events that the receiver has not confirmed."
    yield _gauge("edge_seg_alerts_waiting", waiting, "receiver", state.alerts_waiting)


def _gauge(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, help_text, labels=[label]), values)


def _counter(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(CounterMetricFamily(name, help_text, labels=[label]), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for label_value, value in values.items():
        family.add_metric([label_value], value)
    return family
