"""The options of a camera, checked as `edge-seg camera` would and made fit for a service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from edge_seg.errors import ServiceError

_NO_WINDOW = "--no-window"
_OUTPUT_FOLDERS = frozenset({"alerts", "collect", "model_folder"})
"""Options whose folders are written to: those at the place where this is typed are not meant."""


@dataclass(frozen=True)
class CameraArguments:
    """A camera's command line, parsed."""

    words: tuple[str, ...]
    """The options as typed, with absolute paths for what is there already."""
    inputs: tuple[Path, ...]
    """Absolute paths of models, labels and other files that are read; a shipped model is its file."""
    outputs: tuple[Path, ...]
    """Absolute paths that results are to be written to."""
    values: dict[str, Any]
    """All options by name, defaults too."""


def parse_camera(words: Sequence[str]) -> CameraArguments:
    """Parse what stands behind `--`; a usage error ends as one of `edge-seg camera` does.

    Raises:
        ServiceError: a model, a key, a list of labels, a certificate or a token's file that is not there.
        ModelError: a bare name that is neither a file here nor a shipped model.
    """
    from edge_seg.cli.camera import camera
    from edge_seg.cli.update_options import is_address
    from edge_seg.shipped import find_model

    app = typer.Typer(add_completion=False)
    app.command("camera")(camera)
    command = typer.main.get_command(app)
    context = command.make_context("edge-seg camera", list(words))
    for name in ("model", "model_meanwhile"):
        if context.params[name] is not None and not is_address(context.params[name]):
            context.params[name] = find_model(context.params[name])
    given = [option for option in command.params if _is_given(context, option.name or "")]
    inputs = tuple(_inputs(context.params))
    typed = [word for option in given for word in _words(option, context.params[option.name or ""])]
    if not context.params.get("no_window", True):
        typed.append(_NO_WINDOW)
    return CameraArguments(tuple(typed), inputs, tuple(_outputs(context.params)), context.params)


def _is_given(context: Any, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _words(option: Any, value: Any) -> list[str]:
    """Spell an option as it would be typed."""
    long = max(option.opts, key=len)
    if option.is_flag:
        return [long if value else max(option.secondary_opts, key=len)]
    values = value if option.multiple else [value]
    return [word for item in values for word in (long, _absolute(item, option.name))]


def _absolute(value: Any, name: str) -> str:
    if name in _OUTPUT_FOLDERS:
        return str(value)
    may_be_path = isinstance(value, Path) or (name == "source" and "://" not in value and not value.isdecimal())
    return str(Path(value).absolute()) if may_be_path and Path(value).exists() else str(value)


def _inputs(values: dict[str, Any]) -> Iterator[Path]:
    for name in ("model", "model_meanwhile", "model_key", "labels", "ca_file", "token_file"):
        path = values.get(name)
        if isinstance(path, Path) and not path.exists():
            option = name.replace("_", "-")
            raise ServiceError(f"{path}: no such file; the service would not start, name a file for --{option}")
    for name, value in values.items():
        if name in _OUTPUT_FOLDERS:
            continue
        if isinstance(value, Path) and value.exists():
            yield value.absolute()
        elif name == "source" and _absolute(value, name) != value:
            yield Path(value).absolute()


def _outputs(values: dict[str, Any]) -> Iterator[Path]:
    """Give those of the folders, and of `file`, `kind:file` and `kind://…`, that are absolute paths."""
    for name in sorted(_OUTPUT_FOLDERS):
        folder: Path | None = values[name]
        if folder is not None and folder.is_absolute():
            yield folder
    uris: list[str] = values["out"] or []
    for uri in uris:
        path = uri if uri.startswith("/") else uri.partition(":")[2]
        if path.startswith("/") and not path.startswith("//"):
            yield Path(path)
