"""What is checked before a camera becomes a service: what would only show in its log later."""

import os
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge_seg.cli.service_arguments import CameraArguments
from edge_seg.errors import ServiceError
from edge_seg.extras import missing_module
from edge_seg.shipped import find_model

_SHORTEST_WATCHDOG_S = 60
_FRAMES_PER_WATCHDOG = 4


def check_root() -> None:
    """Raise ServiceError, with the line to type, unless this is root."""
    if os.geteuid() != 0:
        raise ServiceError(f"services belong to root; type  {sudo_line(sys.argv[1:])}")


def sudo_line(words: Sequence[str]) -> str:
    """Return the line that runs this program as root: sudo knows no environment, so its path is given in full."""
    from edge_seg.service.secrets import without_secrets

    return f"sudo {sys.executable} -m edge_seg.cli {shlex.join(without_secrets(words))}"


def check_memory_max(limit: str) -> None:
    """Raise ServiceError for a limit that systemd would ignore: MemoryMax= of systemd.resource-control(5)."""
    if not re.fullmatch(r"[1-9][0-9]*[KMGT%]|infinity", limit):
        raise ServiceError(
            f"{limit!r} is no limit of memory; give a share such as 75%, a size such as 400M, or infinity"
        )


def check_outputs(arguments: CameraArguments, writable: Sequence[Path]) -> None:
    """Raise ServiceError for an output outside of the folders that the service may write to."""
    for path in arguments.outputs:
        if not any(path.is_relative_to(folder) for folder in writable):
            raise ServiceError(
                f"{path}: the service may write to its own folder alone; give a relative path, which will lie in "
                f"/var/lib/edge-seg, or allow it with  --writable {path.parent}"
            )


def needed_extras(arguments: CameraArguments) -> list[str]:
    """Return the extras that the camera's options need."""
    from edge_seg.cli.update_options import is_address

    values = arguments.values
    needs = {"web": _page(arguments) is not None, "mqtt": bool(values["mqtt"]), "updates": is_address(values["model"])}
    return [extra for extra, is_needed in needs.items() if is_needed]


def check_extras(extras: Sequence[str]) -> None:
    """Raise ServiceError unless the service's interpreter, which is this one, has the extras."""
    missing = [extra for extra in extras if missing_module(extra)]
    if missing:
        sudo = "sudo " if Path(sys.prefix).stat().st_uid == 0 else ""
        raise ServiceError(
            f"{sys.prefix}: lacks what the camera's options need, and the service would not start; type  "
            f"{sudo}{sys.executable} -m pip install {_package(missing)}"
        )


def check_token(arguments: CameraArguments, environment: Path) -> None:
    """Raise ServiceError for a live page that others can reach, without a token in options or environment file."""
    from edge_seg.web.address import parse_address
    from edge_seg.web.token import TOKEN_VARIABLE

    page, values = _page(arguments), arguments.values
    if page is None or values["token"] or values["token_file"] or parse_address(page).is_loopback:
        return
    text = environment.read_text(encoding="utf-8") if environment.exists() else ""
    if not re.search(rf"^\s*{TOKEN_VARIABLE}=.", text, re.MULTILINE):
        raise ServiceError(
            f"{page}: others can reach this address, so the live page needs a token there; write a line "
            f"{TOKEN_VARIABLE}=… into {environment} (openssl rand -hex 16 makes one), or serve on 127.0.0.1"
        )


def _page(arguments: CameraArguments) -> str | None:
    from edge_seg.cli.web_options import split_serve

    return split_serve(arguments.values["serve"], arguments.values["out"] or [])[0]


def _package(extras: Sequence[str]) -> str:
    return f"'edge-seg[{','.join(extras)}]'" if extras else "edge-seg"


def check_reach(needed: Iterable[Path], user: str | None, extras: Sequence[str]) -> None:
    """Raise ServiceError unless the service's account may read what it runs; the cure installs the extras, too."""
    from edge_seg.service.reach import closed_path

    closed = closed_path(needed, _uid(user))
    if closed is None:
        return
    who = f"the account {user}" if user else "the service's own account"
    owner = closed.owner()
    raise ServiceError(
        f"{closed}: {who} may not read this, and the service needs it; make an environment that all may read: "
        "sudo python3 -m venv --system-site-packages /opt/edge-seg && sudo /opt/edge-seg/bin/pip install "
        + _package(extras)
        + (f" (or run the service as who owns it: --user {owner})" if owner not in ("root", user) else "")
    )


def _uid(user: str | None) -> int | None:
    import pwd

    if user is None:
        return None
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        raise ServiceError(f"{user}: this machine has no such account; leave --user out, or create it first") from None
    if uid == 0:
        raise ServiceError("a camera needs none of root's rights; leave --user out, or name another account")
    return uid


def check_model(arguments: CameraArguments) -> None:
    """Load the model as the service will, so that what is wrong with it is said now; of an address, check the key.

    Raises:
        ModelError, UpdateError, MissingExtraError: as the camera would.
    """
    from edge_seg.cli.options import read_loading
    from edge_seg.cli.update_options import update_settings

    values = arguments.values
    loading = read_loading(
        runtime=values["runtime"], threads=1, labels=values["labels"], input_range=values["input_range"]
    )
    updates = update_settings(
        values["model"] and str(values["model"]),
        loading,
        key=values["model_key"],
        every_s=values["model_every"],
        slowest=values["model_slowest"],
        meanwhile=values["model_meanwhile"],
        device_class=values["device_class"],
        needs_scores=False,
        ca_file=values["ca_file"],
        plaintext=values["plaintext"],
    )
    model = values["model"] if updates is None else values["model_meanwhile"]
    if updates is None or model is not None:
        loading.load(find_model(model))


def watchdog_s(arguments: CameraArguments) -> int:
    """Return a period, in seconds, in which several results come, also at a low --max-fps."""
    rate = arguments.values.get("max_fps")
    return max(_SHORTEST_WATCHDOG_S, round(_FRAMES_PER_WATCHDOG / rate) if rate else 0)
