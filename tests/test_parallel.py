"""Work in several processes: in order, bounded, and ended by Ctrl-C without a trace."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from edge_seg.errors import DatasetError
from edge_seg.parallel import FEWEST_ITEMS, map_in_processes


def doubled(number: int) -> int:
    return 2 * number


def refused(number: int) -> int:
    if number == 70:
        raise DatasetError("seventy")
    return number


@pytest.mark.parametrize("count", [3, FEWEST_ITEMS + 40])
def test_results_come_in_order(count: int) -> None:
    assert list(map_in_processes(doubled, range(count))) == [2 * number for number in range(count)]


def test_items_are_read_as_they_are_needed() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    results = map_in_processes(doubled, items())
    assert next(results) == 0
    assert len(read) < 200
    results.close()  # type: ignore[attr-defined]


def test_the_first_error_ends_it() -> None:
    with pytest.raises(DatasetError, match="seventy"):
        list(map_in_processes(refused, range(200)))


@pytest.mark.skipif((os.cpu_count() or 1) == 1, reason="one core works without further processes")
@pytest.mark.parametrize("delay", [0.0, 0.3, 0.8])
def test_an_interrupt_leaves_no_process_and_no_trace(delay: float) -> None:
    program = (
        "import time; from edge_seg.parallel import map_in_processes\n"
        "if __name__ == '__main__':\n"
        "    print('ready', flush=True)\n"
        "    try:\n"
        "        list(map_in_processes(time.sleep, [0.02] * 2000))\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
    assert group_is_gone(process.pid)


def group_is_gone(group: int) -> bool:
    """Wait for Python's own resource tracker, which ends a moment after the program."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_other_threads_may_use_it() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.extend(map_in_processes(doubled, range(FEWEST_ITEMS + 1))))
    thread.start()
    thread.join()
    assert len(found) == FEWEST_ITEMS + 1
