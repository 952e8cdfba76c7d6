"""The `edge-seg` program: finds commands, imports the one that is called, reports its errors."""

import io
import os
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from edge_seg.cli.reporting import EXIT_INTERRUPTED, reporting
from edge_seg.native_threads import end_process

_ENTRY_POINT_GROUP = "edge_seg.commands"

# Name: (help line, "module:object", or None for a command of another stage, found by its entry point).
_COMMANDS: dict[str, tuple[str, str | None]] = {
    "quickstart": ("The whole road on generated data, offline, ending in an HTML report.", "quickstart:quickstart"),
    "data": ("Import, generate, check and look at data sets.", "data:data"),
    "train": ("Train a U-Net on a data set folder.", None),
    "convert": ("Convert a run to float32, float16, dynamic and int8 .tflite files.", None),
    "inspect": ("Show what a model file is.", "inspect:inspect"),
    "camera": ("Segment a live camera or stream.", "camera:camera"),
    "run": ("Segment images, folders and videos.", "run:run"),
    "alert": ("Try the ways that alerts go.", "alert:alert"),
    "eval": ("Measure mIoU at full image resolution.", "evaluate:evaluate"),
    "bench": ("Measure latency, memory and size of models.", None),
    "models": ("List, show and export the models that ship with the package, and sign models.", "models:models"),
    "doctor": ("Say what this machine is, what is wrong with it, and what cures it.", "doctor:doctor"),
    "service": ("Run a camera as a systemd service: install, status, uninstall.", "service:service"),
}


def main() -> None:
    """Run the program; the entry point of the `edge-seg` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without × shows ?, not a traceback
    warnings.filterwarnings("ignore", message=r"Glyph \d+")  # of matplotlib's font: a box is drawn in its place
    try:
        build_app(_called_command())()
    except KeyboardInterrupt:  # while the command was still being imported
        typer.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except SystemExit as end:
        end_process(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise


def build_app(called: str | None) -> typer.Typer:
    """Assemble the application, importing only the module of the command that is called."""
    app = typer.Typer(
        name="edge-seg",
        help="From annotated images to a camera that segments on a Raspberry Pi.",
        epilog="Start with  edge-seg quickstart  or, on a device,  edge-seg camera",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for name, (help_line, target) in _COMMANDS.items():
        if name == called:
            _add(app, name, help_line, _load(name, target))
        else:
            app.command(name, help=help_line)(_not_loaded)
    return app


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from edge_seg import __version__

        typer.echo(f"edge-seg {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        context.fail("Missing command.")


def _not_loaded() -> None:
    """Stand in the command list for a command that is not the one called."""


def _called_command() -> str | None:
    """Return the first word on the command line, or on the one being completed by a shell."""
    completing = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or ""
    words = completing.split()[1:] or sys.argv[1:]
    return next((word for word in words if not word.startswith("-")), None)


def _load(name: str, target: str | None) -> Callable[..., None] | typer.Typer:
    if target is None:
        from importlib.metadata import entry_points

        (entry_point,) = entry_points(group=_ENTRY_POINT_GROUP, name=name)
        return entry_point.load()
    module, _, attribute = target.partition(":")
    return getattr(import_module(f"edge_seg.cli.{module}"), attribute)


def _add(app: typer.Typer, name: str, help_line: str, command: Any) -> None:
    if not isinstance(command, typer.Typer):
        app.command(name)(reporting(command))
        return
    _report_errors_of(command)
    if command.registered_callback is None:
        app.add_typer(command, name=name, help=help_line)
    else:
        app.add_typer(command, name=name)  # it does something without a command, and says itself what


def _report_errors_of(group: typer.Typer) -> None:
    """Wrap every command of `group` and of the groups inside it with `reporting`, and what it does without one."""
    own = group.registered_callback
    if own is not None and own.callback is not None:
        own.callback = reporting(own.callback)
    for registered in group.registered_commands:
        if registered.callback is not None:
            registered.callback = reporting(registered.callback)
    for nested in group.registered_groups:
        if nested.typer_instance is not None:
            _report_errors_of(nested.typer_instance)
