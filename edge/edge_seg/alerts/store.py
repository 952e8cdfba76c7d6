"""The table of events on the disk that wait to be delivered. SQLite: whole after a power cut."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_seg.alerts.outage import Report

_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event TEXT NOT NULL,
    refusal TEXT
);
CREATE INDEX IF NOT EXISTS by_destination ON waiting (destination, refusal, number);
"""
_COUNTS = "SELECT destination, count(*) FROM waiting GROUP BY destination"


class EventStore:
    """Events by destination, oldest first. May be used from any thread.

    The file is made with the first event, and opened anew after a fault. A damaged one is renamed and
    told of. Every method raises sqlite3.Error while the disk is full or fails.
    """

    def __init__(self, path: Path, report: Report) -> None:
        self.path, self._report = path, report
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._counts = Counter[str]()
        self._closed = False

    def add(self, destinations: Sequence[str], event_id: str, event: str) -> None:
        """Store one event behind the others, for all destinations or none; it is on the disk when this returns."""
        rows = ", ".join(["(?, ?, ?)"] * len(destinations))
        values = [value for destination in destinations for value in (destination, event_id, event)]
        with self._lock:
            self._run(f"INSERT INTO waiting (destination, event_id, event) VALUES {rows}", *values)
            self._counts.update(destinations)

    def remove(self, destination: str, event_id: str) -> None:
        """Forget one event."""
        self._forget(destination, "destination = ? AND event_id = ?", destination, event_id)

    def refuse(self, destination: str, event_id: str, reason: str) -> None:
        """Put one event aside: its receiver will not have it."""
        self._run_if_begun(
            "UPDATE waiting SET refusal = ? WHERE destination = ? AND event_id = ?", reason, destination, event_id
        )

    def take_back_refused(self, destination: str) -> None:
        """Let what was put aside wait again."""
        taken_back = "UPDATE waiting SET refusal = NULL WHERE destination = ? AND refusal IS NOT NULL"
        self._run_if_begun(taken_back, destination)

    def drop_oldest(self, destination: str, count: int) -> None:
        """Forget the oldest events of a destination."""
        oldest = "number IN (SELECT number FROM waiting WHERE destination = ? ORDER BY number LIMIT ?)"
        self._forget(destination, oldest, destination, count)

    def oldest(self, destination: str, count: int) -> list[tuple[str, str]]:
        """Return (id, event) of the oldest that wait, without those that were refused."""
        return self._run_if_begun(
            "SELECT event_id, event FROM waiting WHERE destination = ? AND refusal IS NULL ORDER BY number LIMIT ?",
            destination,
            count,
        )

    def counts(self) -> dict[str, int]:
        """Return how many events there are per destination, with those that were refused.

        They are counted along once the file is open: who asks does not wait for the disk.
        """
        if self._database is None:
            self._run_if_begun("SELECT 1")
        return dict(self._counts)

    def close(self) -> None:
        """Close the file, for good."""
        with self._lock:
            self._closed = True
            self._let_go()

    def _forget(self, destination: str, which: str, *values: str | int) -> None:
        with self._lock:
            gone = self._run_if_begun(f"DELETE FROM waiting WHERE {which} RETURNING number", *values)
            self._counts[destination] -= len(gone)

    def _run_if_begun(self, statement: str, *values: str | int) -> list[Any]:
        """Run a statement and return its rows; none while there is no file, which only an event begins."""
        return self._run(statement, *values) if self.path.exists() else []

    def _run(self, statement: str, *values: str | int) -> list[Any]:
        with self._lock:
            try:
                return self._opened().execute(statement, values).fetchall()
            except sqlite3.OperationalError:
                raise  # full, busy, unreachable: the same connection may do later
            except sqlite3.DatabaseError:
                self._let_go()
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.OperationalError("the store is closed")
        if self._database is None:
            try:
                self._database, self._counts = _open(self.path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._put_aside(error)
                self._database, self._counts = _open(self.path)
        return self._database

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged")
        self.path.replace(aside)
        self._report(f"{self.path}: is damaged ({error}); it is kept as {aside.name} and a new one begun")

    def _let_go(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None


def _open(path: Path) -> tuple[sqlite3.Connection, Counter[str]]:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.executescript(_SCHEMA)
        return database, Counter(dict(database.execute(_COUNTS)))
    except sqlite3.Error:
        database.close()
        raise
