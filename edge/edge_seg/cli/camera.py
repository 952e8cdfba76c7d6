"""`edge-seg camera`: live segmentation on a window, into files, and in numbers on the terminal."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.alert_options import (
    DEFAULT_FOLDER,
    AlertOption,
    AlertsFolderOption,
    CaFileOption,
    CommandOption,
    DeviceNameOption,
    MqttOption,
    PlaintextOption,
    RegionOption,
    WebhookOption,
    WebhookPicturesOption,
    alert_settings,
    opened_alerts,
)
from edge_seg.cli.collect_options import (
    CollectEveryOption,
    CollectMegabytesOption,
    CollectMostOption,
    CollectOption,
    SmoothOption,
    collecting_sinks,
    smoothing,
)
from edge_seg.cli.live_status import live_status, tell, told
from edge_seg.cli.options import (
    InputRangeOption,
    LabelsOption,
    OpacityOption,
    RuntimeOption,
    ThreadsOption,
    read_loading,
)
from edge_seg.cli.pace_options import EveryOption, MaxFpsOption
from edge_seg.cli.sink_options import (
    KEEP_FREE,
    KeepFreeOption,
    RotateOption,
    RotateSizeOption,
    WhenFullOption,
    open_camera_sinks,
)
from edge_seg.cli.source_options import (
    FrozenAfterOption,
    PixelFormatOption,
    RateOption,
    RetriesOption,
    SizeOption,
    TransportOption,
    WatchOption,
    source_options,
)
from edge_seg.cli.update_options import (
    LOOK_EVERY_S,
    MODELS_FOLDER,
    CameraModelOption,
    DeviceClassOption,
    ModelEveryOption,
    ModelFolderOption,
    ModelKeyOption,
    ModelMeanwhileOption,
    ModelSlowestOption,
    begin_updates,
    opened_model,
    update_settings,
)
from edge_seg.cli.web_options import ServeOption, TokenFileOption, TokenOption, open_page, page_options, split_serve
from edge_seg.errors import SinkError, SourceError
from edge_seg.free_space import FreeSpace
from edge_seg.runtimes import DEFAULT_RUNTIME

if TYPE_CHECKING:
    from edge_seg.classes import SegmentationClass
    from edge_seg.model_slot import ModelSlot
    from edge_seg.pipeline import OnResult, PipelineSummary, Smooth
    from edge_seg.sinks import Sink, SinkOptions
    from edge_seg.sources import Source


def camera(
    *,
    source: Annotated[
        str,
        typer.Option(
            help="Camera number, /dev/videoN or name; picamera:0; http:// or rtsp:// stream; video file; folder."
        ),
    ] = "0",
    size: SizeOption = None,
    rate: RateOption = None,
    pixel_format: PixelFormatOption = None,
    transport: TransportOption = "tcp",
    retries: RetriesOption = None,
    frozen_after: FrozenAfterOption = 10.0,
    watch: WatchOption = False,
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            "-o",
            help="Where results go: events.jsonl  shares.csv  out.mp4  overlays/  masks:DIR  coco.json  via.json",
        ),
    ] = None,
    model: CameraModelOption = None,
    threads: ThreadsOption = 1,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    model_key: ModelKeyOption = None,
    model_folder: ModelFolderOption = MODELS_FOLDER,
    model_every: ModelEveryOption = LOOK_EVERY_S,
    model_slowest: ModelSlowestOption = None,
    model_meanwhile: ModelMeanwhileOption = None,
    device_class: DeviceClassOption = None,
    opacity: OpacityOption = 0.55,
    serve: ServeOption = None,
    token_file: TokenFileOption = None,
    token: TokenOption = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="End after so many frames.")] = None,
    every: EveryOption = 1,
    max_fps: MaxFpsOption = None,
    no_window: Annotated[bool, typer.Option("--no-window", help="Show nothing on the screen.")] = False,
    rotate: RotateOption = None,
    rotate_size: RotateSizeOption = None,
    keep_free: KeepFreeOption = KEEP_FREE,
    when_full: WhenFullOption = "pause",
    collect: CollectOption = None,
    collect_every: CollectEveryOption = 60.0,
    collect_most: CollectMostOption = 500,
    collect_megabytes: CollectMegabytesOption = 500,
    smooth: SmoothOption = None,
    alert: AlertOption = None,
    region: RegionOption = None,
    alerts: AlertsFolderOption = DEFAULT_FOLDER,
    mqtt: MqttOption = None,
    webhook: WebhookOption = None,
    webhook_pictures: WebhookPicturesOption = False,
    on_alert: CommandOption = None,
    ca_file: CaFileOption = None,
    plaintext: PlaintextOption = False,
    device_name: DeviceNameOption = None,
) -> None:
    """Segment a live camera or stream; rate, latency, age and class shares are on the picture.

    A camera or stream that fails, stalls or freezes is opened again, after 0.5 s at first and 30 s at last.

    Ends on q (in the window or on the terminal) or SIGTERM with exit code 0, on Ctrl-C with 130;
    files are closed properly every time. Without a screen it runs on, and says so.

    An output that fails (a full disk, an unplugged one) is reported and tried again; the camera goes on.

    Example:  edge-seg camera --source rtsp://host/stream --retries forever --out events.jsonl

    Example:  edge-seg camera --source 0 --out events.jsonl --out recording.mp4 --rotate 10m --when-full delete-oldest

    Example:  edge-seg camera --serve 127.0.0.1:8080 --alert "fire > 2% for 3s" --on-alert ./siren.sh
    """
    from edge_seg.cli.quitting import quit_on_sigterm
    from edge_seg.hud import hud_painter
    from edge_seg.service.notify import heartbeat
    from edge_seg.sinks import PaintOnce, Rotation, SinkOptions
    from edge_seg.sources import WaitingSource, open_source
    from edge_seg.sources.pace import paced, period_s
    from edge_seg.telemetry import Telemetry

    stop = threading.Event()
    serve, outs = split_serve(serve, out or [])
    page = page_options(serve, token, token_file)
    settings = alert_settings(
        rules=alert,
        regions=region,
        folder=alerts,
        mqtt=mqtt,
        webhooks=webhook,
        webhook_pictures=webhook_pictures,
        commands=on_alert,
        ca_file=ca_file,
        plaintext=plaintext,
        device_name=device_name,
    )
    asked = source_options(
        size=size,
        rate=rate,
        pixel_format=pixel_format,
        transport=transport,
        retries=retries,
        frozen_after=frozen_after,
        watch=watch,
    )
    loading = read_loading(runtime=runtime, threads=threads, labels=labels, input_range=input_range)
    updates = update_settings(
        model,
        loading,
        key=model_key,
        every_s=model_every,
        slowest=model_slowest,
        meanwhile=model_meanwhile,
        device_class=device_class,
        needs_scores=bool(smooth or collect),
        ca_file=ca_file,
        plaintext=plaintext,
    )
    with (
        heartbeat() as alive,
        opened_model(model, loading, updates, folder=model_folder, meanwhile=model_meanwhile, doing=alive.beat) as (
            slot,
            updater,
        ),
        ExitStack() as unused,
    ):
        classes = slot.current.classes  # not the model itself, which this would keep alive when another one runs
        telemetry = Telemetry([item.name for item in classes], model=slot.current.identity, outputs=outs)
        opened = open_source(source, asked, on_bad_image=_leave_out, report=told(telemetry.trouble))
        unused.callback(opened.close)
        if isinstance(opened, WaitingSource):
            opened.while_waiting(alive.beat)
        chosen = paced(opened, every=every, max_fps=max_fps, stop=stop)
        rotation, paint = Rotation(rotate, rotate_size), PaintOnce(hud_painter(classes, opacity))
        options = SinkOptions(paint, live=opened.live, fps=chosen.fps, rotation=rotation, on_quit=stop.set)
        pause_s = period_s(opened, every=every, max_fps=max_fps)
        with (
            quit_on_sigterm(stop.set),
            opened_alerts(settings, opened, classes, tell, telemetry, period_s=pause_s) as watching,
        ):
            observers: list[OnResult] = [*([watching.alarm.observe] if watching else ()), alive.observe]
            if page is not None or watching is not None:
                observers.append(telemetry.observe)
            space = FreeSpace(keep_free, when_full)
            files = open_camera_sinks(outs, classes, options, space, on_failure=telemetry.sink_error)
            sinks = _closed_unless_used(unused, files)
            if not no_window and "window:" not in outs:
                sinks += _closed_unless_used(unused, _open_window(classes, options))
            collected = collecting_sinks(
                collect,
                slot,
                opened,
                every_s=collect_every,
                most_frames=collect_most,
                most_megabytes=collect_megabytes,
            )
            sinks += _closed_unless_used(unused, collected)
            if page is not None:
                title = device_name or opened.name
                served = open_page(page, classes, telemetry, title=title, opacity=opacity)
                sinks += _closed_unless_used(unused, [served])
            smoother = smoothing(smooth, slot.current, opened)
            observers += begin_updates(updater, telemetry)
            unused.pop_all()  # the pipeline closes them
            summary = _run(chosen, slot, sinks, observers, smooth=smoother, stop=stop, max_frames=max_frames)
    typer.echo(
        f"{summary.frames} frames in {summary.seconds:.1f} s ({summary.fps:.1f} per second), "
        f"{summary.dropped} dropped, model {summary.invoke_ms:.1f} ms"
    )


def _leave_out(error: SourceError) -> None:
    tell(f"left out: {error}")


def _closed_unless_used(unused: ExitStack, sinks: "Iterable[Sink]") -> "list[Sink]":
    return [unused.enter_context(closing(sink)) for sink in sinks]


def _open_window(classes: "Sequence[SegmentationClass]", options: "SinkOptions") -> "list[Sink]":
    from edge_seg.sinks import open_sink

    try:
        return [open_sink("window:", classes, options)]
    except SinkError as error:
        tell(f"no {error}")
        return []


def _run(
    source: "Source",
    slot: "ModelSlot",
    sinks: "list[Sink]",
    observers: "list[OnResult]",
    *,
    smooth: "Smooth | None",
    stop: threading.Event,
    max_frames: int | None,
) -> "PipelineSummary":
    from edge_seg.cli.quitting import quit_on_q
    from edge_seg.pipeline import run_pipeline

    with quit_on_q(stop.set), live_status() as show:
        return run_pipeline(
            source,
            slot,
            sinks,
            on_frame=show,
            observers=observers,
            smooth=smooth,
            stop=stop,
            max_frames=max_frames,
        )
