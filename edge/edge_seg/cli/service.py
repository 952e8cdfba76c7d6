"""`edge-seg service`: the camera as a service of the system, started at boot and kept alive."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import JsonOption
from edge_seg.cli.reporting import EXIT_FAILED

if TYPE_CHECKING:
    from edge_seg.service.status import ServiceStatus
    from edge_seg.service.unit import Service

_ROOT = Path("/")

service = typer.Typer(no_args_is_help=True)

NameOption = Annotated[str, typer.Option(help="Which camera: its unit is edge-seg-NAME.service.")]


@service.command("install")
def install_service(
    options: Annotated[
        list[str] | None, typer.Argument(metavar="-- CAMERA OPTIONS", help="After --, the options of edge-seg camera.")
    ] = None,
    *,
    name: NameOption = "camera",
    user: Annotated[
        str | None, typer.Option(help="Run as this account; else as one that exists only while the service runs.")
    ] = None,
    writable: Annotated[
        list[Path] | None, typer.Option(help="A folder that it may write to, beside its own; repeatable.")
    ] = None,
    watchdog: Annotated[
        int | None, typer.Option(min=5, help="Restart it after so many seconds without a result; 60, or what fits.")
    ] = None,
    memory_max: Annotated[
        str, typer.Option(help="End and restart it above this: a share of the memory, or 400M.")
    ] = "75%",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the unit file and change nothing.")] = False,
) -> None:
    """Write a hardened unit file, start the camera, and start it at every boot.

    Relative paths lie in /var/lib/edge-seg/NAME. Passwords and tokens go to /etc/edge-seg/NAME.env,
    which root alone reads; '${NAME}' in an option stands for a line NAME=... there.

    Example:  sudo edge-seg service install --name door -- --source 0 --out events.jsonl
    """
    from edge_seg.cli.service_arguments import parse_camera
    from edge_seg.cli.service_checks import (
        check_extras,
        check_memory_max,
        check_model,
        check_outputs,
        check_reach,
        check_root,
        check_token,
        needed_extras,
        watchdog_s,
    )
    from edge_seg.service.installation import check_name, install
    from edge_seg.service.reach import below_home
    from edge_seg.service.secrets import separate_secrets
    from edge_seg.service.systemctl import check_booted, run
    from edge_seg.service.unit import Service, UnitSettings, unit_text

    check_name(name)
    check_memory_max(memory_max)
    arguments, folders = parse_camera(options or []), [path.absolute() for path in writable or []]
    check_outputs(arguments, folders)
    words, secrets = separate_secrets(arguments.words)
    needed = (Path(sys.executable), Path(sys.prefix), Path(__file__), *arguments.inputs)
    settings = UnitSettings(
        command=(sys.executable, "-m", "edge_seg.cli", "camera", *words),
        user=user,
        home_is_needed=below_home(needed),
        writable=folders,
        watchdog_s=watchdog or watchdog_s(arguments),
        memory_max=memory_max,
    )
    ours = Service(name)
    if dry_run:
        typer.echo(unit_text(ours, settings), nl=False)
        _say_secrets(ours, secrets, "would go to")
        return
    check_booted()
    check_root()
    extras = needed_extras(arguments)
    check_reach(needed, user, extras)
    check_extras(extras)
    check_token(arguments, _ROOT / ours.secrets_path)
    check_model(arguments)
    install(ours, settings, secrets, root=_ROOT, run=run)
    typer.echo(f"{ours.unit} is starting, now and at every boot; how it goes:  edge-seg service status --name {name}")
    _say_secrets(ours, secrets, "are now in")


@service.command("status")
def service_status(
    *,
    name: NameOption = "camera",
    lines: Annotated[int, typer.Option(min=0, help="How many lines of its log to show.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Show whether the camera runs, since when, what it does, how often it was restarted, and its log.

    Ends with exit code 1 when it does not run.

    Example:  edge-seg service status --name door
    """
    from edge_seg.service.installation import check_name
    from edge_seg.service.status import read_status
    from edge_seg.service.systemctl import check_booted, run
    from edge_seg.service.unit import Service

    check_name(name)
    check_booted()
    status = read_status(Service(name), lines=lines, run=run)
    if as_json:
        typer.echo(json.dumps(asdict(status), indent=2))
    else:
        _show(status)
    if not status.running:
        raise typer.Exit(EXIT_FAILED)


@service.command("uninstall")
def uninstall_service(
    *,
    name: NameOption = "camera",
    purge: Annotated[bool, typer.Option("--purge", help="Delete its results and its passwords, too.")] = False,
) -> None:
    """Stop the camera and remove its unit file; what it wrote stays, unless --purge.

    Example:  sudo edge-seg service uninstall --name door
    """
    from edge_seg.cli.service_checks import check_root
    from edge_seg.service.installation import check_name, uninstall
    from edge_seg.service.systemctl import check_booted, run
    from edge_seg.service.unit import Service

    check_name(name)
    check_booted()
    check_root()
    left = uninstall(Service(name), purge=purge, root=_ROOT, run=run)
    kept = f"; kept: {', '.join(map(str, left))} (--purge deletes that)" if left else ""
    typer.echo(f"{Service(name).unit} is stopped and removed{kept}")


def _say_secrets(ours: "Service", secrets: dict[str, str], places: str) -> None:
    if secrets:
        typer.echo(f"passwords and tokens {places} /{ours.secrets_path}: {', '.join(secrets)}", err=True)


def _show(status: "ServiceStatus") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    ended = "" if status.running or status.result in ("", "success") else f", ended by {status.result}"
    for row in (
        ("unit", f"{status.unit}, {'starts' if status.at_boot else 'does not start'} at boot"),
        ("state", f"{status.state}{ended}"),
        ("since", status.since or "never"),
        ("doing", status.doing or "–"),
        ("restarts", f"{status.restarts}"),
        ("memory", "–" if status.memory_mb is None else f"{status.memory_mb} MB"),
    ):
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print("\n".join(("", *status.log)), soft_wrap=True)
