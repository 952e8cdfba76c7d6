"""Only one run writes to an output: each lays a small file beside its results and looks whether others did so before.

No lock of the operating system reaches other hosts, and a conditional request is not kept by every server that
speaks S3. What all of them keep is that a file written is in the next listing. So a run writes its claim under a
name of its own, then lists the claims: of two runs at least the later one sees both and stands back. Claims are
refreshed; one that was not for long is of a run that died. How old a claim is, the storage's own clock says, by
comparison with the one just written.
"""

import json
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import uuid4

from edge_seg.archive.place import Place
from edge_seg.archive.processes import process_mark, process_runs
from edge_seg.archive.storage_faults import told
from edge_seg.errors import EdgeSegError, SinkError, SourceError
from edge_seg.files import make_folder, remove_empty

FOLDER = ".edge-seg-claims"
REFRESH_S = 60.0
STALE = timedelta(minutes=5)
_REQUEST_TIMEOUT_S = 15.0
_LONGEST_WAIT_S = 3.0


@dataclass(frozen=True)
class Holder:
    """What a claim's file says."""

    host: str
    pid: int
    began: str
    process: str
    """Tells, on the host itself, this process from a later one with its number; see `process_mark`."""


class Claim:
    """The right to write to an output, as long as the run's own file is there."""

    def __init__(self, output: Place, name: str, holder: Holder) -> None:
        """Write the claim's file."""
        self._output, self._name, self._holder = output, name, holder
        self._refreshed_at, self._lost = _now(), False
        self._write()

    def check(self) -> None:
        """Raise SinkError when another run has taken the output over, because this one gave no sign for too long."""
        if self._lost:
            raise SinkError(
                f"{self._output.uri}: the claim of this run could not be kept up for {_minutes(STALE)}, another run "
                "may write there now; type the same command again to go on"
            )

    def keep_up(self, ended: Event) -> None:
        """Write the file again and again, until `ended` or until it is gone."""
        while not self._lost and not ended.wait(REFRESH_S):
            with suppress(EdgeSegError):
                self._refresh()
            self._lost = self._lost or _now() - self._refreshed_at > STALE.total_seconds()

    def _refresh(self) -> None:
        asked_at = _now()
        if self._output.exists(self._name):
            self._write()
            self._refreshed_at = asked_at
        elif not self._output.local or self._output.folder.is_dir():  # not a share that is away for a while
            self._lost = True

    def _write(self) -> None:
        self._output.write(self._name, json.dumps(asdict(self._holder)).encode())


@contextmanager
def claimed(output: Place) -> Generator[Claim]:
    """Hold an output for one run; the claim is removed at the end, however that comes.

    A claim of a process of this host that runs no more is taken over at once, one of another host after STALE.

    Raises:
        SinkError: another run writes to it, or it cannot be written.
    """
    output = replace(output, timeout_s=_REQUEST_TIMEOUT_S)
    began = datetime.now(UTC)
    name = f"{FOLDER}/{began:%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}.json"
    with _made(output):
        _check_rights(output, name)
        try:
            claim = Claim(output, name, _this_run(began))
            _stand_back(output, name)
            with _kept_up(claim):
                yield claim
        except BaseException:
            with suppress(EdgeSegError):  # what went wrong first is what the user has to know
                output.remove(name)
            raise
        output.remove(name)


@contextmanager
def _made(output: Place) -> Generator[None]:
    """Make a local folder; take it away again when nothing is in it at the end."""
    with told(output.fs, "", output.uri, "write", SinkError):
        made = make_folder(output.folder) if output.local else ()
    try:
        yield
    finally:
        remove_empty(made)


def _check_rights(output: Place, name: str) -> None:
    """Raise SinkError for who may write and not remove, before the work and not after it."""
    output.write(f"{name}.try", b"")
    output.remove(f"{name}.try")


@contextmanager
def _kept_up(claim: Claim) -> Generator[None]:
    ended = Event()
    thread = Thread(target=claim.keep_up, args=[ended], name="claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _this_run(began: datetime) -> Holder:
    return Holder(socket.gethostname(), os.getpid(), f"{began:%Y-%m-%d %H:%M:%S} UTC", process_mark(os.getpid()))


def _stand_back(output: Place, own: str) -> None:
    """Return when no other run claims an output; raise SinkError when one does.

    Of two that see each other the one with the earlier name stays, once the other has removed its claim. A later name
    that stays is of a run that looked before this one came, with a clock that is ahead.
    """
    until = time.monotonic() + _LONGEST_WAIT_S
    while rival := _rival(output, own):
        name, holder = rival
        if name < own or time.monotonic() > until:
            raise SinkError(_refusal(output, holder))
        time.sleep(0.1)


def _rival(output: Place, own: str) -> tuple[str, Holder] | None:
    """Return the first claim of another run that is alive, with its name; remove those of runs that are not."""
    names, written = output.names(FOLDER), output.modified_at(own)
    if own not in names or written is None:
        raise SinkError(f"{output.uri}: another run has taken it over; type the same command again")
    for name in names:
        holder = _holder(output, name) if name != own and name.endswith(".json") else None
        refreshed = output.modified_at(name) if holder else None
        if holder is None or refreshed is None:
            continue
        if written - refreshed < STALE and process_runs(holder.pid, holder.process) is not False:
            return name, holder
        output.remove(name)
    return None


def _holder(output: Place, name: str) -> Holder | None:
    """Read a claim; None when it was removed meanwhile."""
    try:
        return Holder(**json.loads(output.read(name)))
    except SourceError:
        if output.exists(name):
            raise
        return None
    except (ValueError, TypeError):
        raise SinkError(f"{output.uri}/{name}: is not the claim of a run; remove the file") from None


def _refusal(output: Place, holder: Holder) -> str:
    return (
        f"{output.uri}: another run writes there, process {holder.pid} on {holder.host} since {holder.began}; wait "
        f"for it or give another output (a run that died is forgotten after {_minutes(STALE)})"
    )


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g} minutes"


def _now() -> float:
    """Return seconds of a clock that does not stop while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
