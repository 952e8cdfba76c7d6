"""Ends a process at every step of a change of a model store, and looks at what the next start finds.

    python store_child.py FOLDER

FOLDER holds `start`, a store with version 3, confirmed, version 2 before it, and version 7 downloaded. A step is
what the operating system is asked to do with a name: open, rename, remove, make. Prints as JSON, for each change,
what was found after every step: [version that runs, sentences told].
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from edge_seg.model_identity import file_sha256
from edge_seg.updates.manifest import parse_manifest
from edge_seg.updates.store import Candidate, ModelStore

STEPS = frozenset({"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"})


def candidate(store: ModelStore) -> Candidate:
    described = parse_manifest((store.folder / "candidate.json").read_bytes())
    return Candidate(store.download_folder / "fire.tflite", described, "https://host/fire.tflite", '"etag"')


def accept(store: ModelStore) -> None:
    store.accept(candidate(store))


def refuse(store: ModelStore) -> None:
    store.refuse(candidate(store), "wrong")


def accept_and_confirm(store: ModelStore) -> None:
    accept(store)
    store.confirm()


def accept_and_roll_back(store: ModelStore) -> None:
    accept(store)
    store.roll_back("slow")


def accept_and_close(store: ModelStore) -> None:
    accept(store)
    store.close()


CHANGES: dict[str, Callable[[ModelStore], None]] = {
    change.__name__: change for change in (accept, refuse, accept_and_confirm, accept_and_roll_back, accept_and_close)
}


def ends_at(step: int, folder: Path, change: Callable[[ModelStore], None]) -> bool:
    """Do a change in a child that ends at its step; whether it ended before the change was done."""
    child = os.fork()
    if child == 0:
        store = ModelStore(folder, lambda _: None)
        left = step

        def end(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in STEPS and str(folder) in str(arguments[0]):
                left -= 1
                if left == 0:
                    os._exit(1)

        sys.addaudithook(end)
        change(store)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def found(folder: Path) -> tuple[int, list[str]]:
    """Start again, and check that what runs is whole and that the new version can be had."""
    told: list[str] = []
    store = ModelStore(folder, told.append)
    current = store.current()
    assert current is not None
    assert file_sha256(current.path) == current.manifest.sha256
    assert not list(folder.rglob("*.part*"))
    version = current.manifest.version
    for extra in (store.folder / "versions").iterdir():
        assert extra.name in ("2", "3", "7")
    store.close()
    return version, told


def main(folder: Path) -> None:
    results: dict[str, list[tuple[int, list[str]]]] = {}
    for name, change in CHANGES.items():
        results[name] = []
        for step in range(1, 100):
            place = folder / f"{name}{step}"
            shutil.copytree(folder / "start", place)
            ended = ends_at(step, place, change)
            results[name].append(found(place))
            if not ended:
                break
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
