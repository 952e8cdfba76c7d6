"""The folder of a device's models: what runs, what is refused, and what power cuts and bad disks leave of it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_seg.errors import UpdateError
from edge_seg.updates.manifest import manifest_json
from edge_seg.updates.store import Candidate, ModelStore, Stored
from update_fixtures import fill_disk, manifest, model_bytes

CHILD = Path(__file__).with_name("store_child.py")
URL = "https://host/fire.tflite"


class Device:
    """A store that is opened, left in order or in none, and opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.store = ModelStore(folder, self.told.append)

    def candidate(self, version: int) -> Candidate:
        model = model_bytes(version, 100)
        path = self.store.download_folder / "fire.tflite"
        path.write_bytes(model)
        return Candidate(path, manifest(model, version), URL, f'"{version}"')

    def accept(self, version: int) -> Stored:
        return self.store.accept(self.candidate(version))

    def run(self, version: int) -> None:
        self.accept(version)
        self.store.confirm()

    def crash(self) -> None:
        """Start again as after a crash."""
        os.close(self.store._handle)
        self.start()

    def restart(self) -> None:
        """Start again in order."""
        self.store.close()
        self.start()

    def start(self) -> None:
        self.told.clear()
        self.store = ModelStore(self.folder, self.told.append)

    @property
    def versions(self) -> tuple[int | None, int | None]:
        """Which runs, and which was before."""
        pair = self.store.current(), self.store.previous()
        return tuple(stored.manifest.version if stored else None for stored in pair)  # type: ignore[return-value]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    opened = Device(tmp_path / "models")
    yield opened
    opened.store.close()


def test_a_new_device_has_no_model(device: Device) -> None:
    assert device.versions == (None, None)
    assert (device.store.highest_version, dict(device.store.refused), device.store.on_trial) == (0, {}, False)
    assert device.store.etag(URL) == ""


def test_an_accepted_model_is_on_trial_until_it_is_confirmed(device: Device) -> None:
    device.run(3)
    stored = device.accept(7)
    assert device.store.on_trial
    assert device.versions == (7, 3)
    assert stored.path.read_bytes() == model_bytes(7, 100)
    assert (stored.identity.name, stored.identity.version) == ("fire", 7)
    device.store.confirm()
    assert not device.store.on_trial
    device.restart()
    assert device.versions == (7, 3)
    assert device.told == []


def test_no_more_than_two_versions_are_kept(device: Device) -> None:
    for version in (1, 2, 3, 4):
        device.run(version)
    assert sorted(path.name for path in (device.folder / "versions").iterdir()) == ["3", "4"]


def test_a_model_that_was_never_confirmed_is_nothing_to_go_back_to(device: Device) -> None:
    device.run(3)
    device.accept(7)
    device.accept(8)
    assert device.versions == (8, 3)


def test_a_roll_back_refuses_the_version_and_lasts(device: Device) -> None:
    device.run(3)
    device.accept(7)
    restored = device.store.roll_back("slower than 50 ms")
    assert restored is not None
    assert device.versions == (3, None)
    device.restart()
    assert device.versions == (3, None)
    assert dict(device.store.refused) == {7: "slower than 50 ms"}
    assert device.store.highest_version == 7
    assert device.told == []


def test_refusing_a_candidate_removes_it_and_remembers_its_etag(device: Device) -> None:
    device.run(3)
    candidate = device.candidate(7)
    device.store.refuse(candidate, "sees fire everywhere")
    assert not candidate.path.exists()
    assert device.versions == (3, None)
    device.restart()
    assert device.store.refused[7] == "sees fire everywhere"
    assert (device.store.etag(URL), device.store.etag(URL + "x")) == ('"7"', "")
    assert URL not in (device.folder / "state.json").read_text()


def test_a_trial_goes_on_after_an_orderly_end(device: Device) -> None:
    device.run(3)
    device.accept(7)
    device.restart()
    assert device.versions == (7, 3)
    assert device.store.on_trial
    assert device.told == []


def test_a_crash_on_trial_falls_back_and_the_second_one_refuses(device: Device) -> None:
    device.run(3)
    device.accept(7)
    device.crash()
    assert device.versions == (3, None)
    (sentence,) = device.told
    assert "version 7 was on trial when the program, or the power, went down; version 3 runs" in sentence
    assert device.store.etag(URL) == ""  # so that it is fetched once more
    device.accept(7)
    device.crash()
    assert device.versions == (3, None)
    assert "it is refused, and version 3 runs" in device.told[0]
    assert list(device.store.refused) == [7]


def test_a_crash_after_the_trial_changes_nothing(device: Device) -> None:
    device.run(3)
    device.run(7)
    device.crash()
    assert device.versions == (7, 3)
    assert device.told == []


def test_the_first_model_is_tried_twice_as_there_is_no_other(device: Device) -> None:
    device.accept(1)
    device.crash()
    assert device.versions == (1, None)
    assert device.store.on_trial
    assert "tried once more at once" in device.told[0]
    device.crash()
    assert device.versions == (None, None)
    assert list(device.store.refused) == [1]


def test_a_model_proves_itself_after_a_crash(device: Device) -> None:
    device.run(3)
    device.accept(7)
    device.crash()
    device.run(7)
    device.crash()
    assert device.versions == (7, 3)


def test_one_process_alone_has_it(device: Device) -> None:
    with pytest.raises(UpdateError, match="another camera keeps its models there"):
        ModelStore(device.folder, pytest.fail)


@pytest.mark.parametrize("obstacle", ["file", "file in it"])
def test_a_place_that_is_no_folder(obstacle: str, tmp_path: Path) -> None:
    place = tmp_path / "models"
    if obstacle == "file":
        place.write_text("")
    else:
        place.mkdir()
        (place / "versions").write_text("")
    with pytest.raises(UpdateError, match=r"new models cannot be kept there .*name another folder"):
        ModelStore(place, pytest.fail)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


DAMAGE: dict[str, tuple[Callable[[Path], None], tuple[int | None, int | None], str]] = {
    "a byte of the model": (lambda it: (it / "versions/7/fire.tflite").write_bytes(bytes(100)), (3, None), "7 is dam"),
    "the model is cut": (lambda it: cut(it / "versions/7/fire.tflite"), (3, None), "7 is damaged; version 3 runs"),
    "the model is gone": (lambda it: (it / "versions/7/fire.tflite").unlink(), (3, None), "version 7 is damaged"),
    "its manifest is cut": (lambda it: cut(it / "versions/7/manifest.json"), (3, None), "version 7 is damaged"),
    "its folder is gone": (lambda it: shutil.rmtree(it / "versions/7"), (3, None), "version 7 is damaged"),
    "the one before is gone": (lambda it: shutil.rmtree(it / "versions/3"), (7, None), ""),
    "both are gone": (lambda it: shutil.rmtree(it / "versions"), (None, None), "7 is damaged; no earlier one is there"),
    "the state is cut": (lambda it: cut(it / "state.json"), (7, 3), "state.json: is damaged"),
    "the state is empty": (lambda it: (it / "state.json").write_text(""), (7, 3), "state.json: is damaged"),
    "the state is no text": (lambda it: (it / "state.json").write_bytes(bytes(range(256))), (7, 3), "is damaged"),
    "the state is of later": (lambda it: (it / "state.json").write_text('{"format": 2}'), (7, 3), "is damaged"),
    "strangers": (lambda it: (it / "versions/notes.txt").write_text(""), (7, 3), ""),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_told_once_and_done_without(name: str, device: Device) -> None:
    damage, versions, told = DAMAGE[name]
    device.run(3)
    device.run(7)
    device.store.close()
    damage(device.folder)
    device.start()
    assert device.versions == versions
    assert len(device.told) == bool(told)
    assert all(told in sentence for sentence in device.told)
    assert (device.store.etag(URL) == "") == bool(told)  # what is lost is asked for again
    device.run(7)
    device.restart()
    assert device.versions[0] == 7
    assert device.told == []


def test_no_file_of_somebody_else_is_removed(tmp_path: Path) -> None:
    """As when --model-folder is a folder of the user's own."""
    names = ("notes.txt", ".notes.1.part", "sub/.x.1.part", "versions/2024/a.jpg", "versions/old/b.jpg", "versions/4/c")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    (tmp_path / ".state.77.part.json").write_text("{")
    (tmp_path / "versions/5").mkdir()
    device = Device(tmp_path)
    for version in (3, 7, 8):
        device.run(version)
    with pytest.raises(UpdateError, match="File exists"):
        device.accept(2024)
    device.store.close()
    assert all((tmp_path / name).read_text() == "mine" for name in names)
    assert {path.name for path in (tmp_path / "versions").iterdir()} == {"2024", "old", "4", "7", "8"}
    assert not (tmp_path / ".state.77.part.json").exists()


def test_a_model_whose_state_was_lost_has_to_prove_itself(device: Device) -> None:
    device.run(3)
    device.accept(7)
    device.store.close()
    (device.folder / "state.json").write_text("{")
    device.start()
    assert device.store.on_trial
    assert (device.folder / "state.json.damaged").read_text() == "{"
    device.crash()
    assert device.versions == (3, None)


@pytest.fixture
def full(mount_disk: Callable[[str], Path]) -> Iterator[Device]:
    """A device with version 3, 7 on trial, 8 as a candidate, and a full disk."""
    opened = Device(mount_disk("64k"))
    opened.run(3)
    opened.accept(7)
    yield opened
    (opened.folder / "filler").unlink(missing_ok=True)
    opened.store.close()


@pytest.mark.parametrize(("act", "but_pages"), [("accept", 0), ("accept", 1), ("confirm", 0), ("etag", 0)])
def test_on_a_full_disk_what_cannot_be_written_has_not_happened(act: str, but_pages: int, full: Device) -> None:
    candidate = full.candidate(8)
    fill_disk(full.folder, but_pages)
    acts: dict[str, Callable[[], object]] = {
        "accept": lambda: full.store.accept(candidate),
        "confirm": full.store.confirm,
        "etag": lambda: full.store.remember_etag(URL, '"9"'),
    }
    with pytest.raises(UpdateError, match="the disk is full; free some space"):
        acts[act]()
    assert full.versions == (7, 3)
    assert full.store.on_trial
    (full.folder / "filler").unlink()
    acts[act]()


def test_on_a_full_disk_a_bad_model_is_rolled_back_all_the_same(full: Device) -> None:
    fill_disk(full.folder)
    with pytest.raises(UpdateError, match="the disk is full"):
        full.store.roll_back("slow")
    assert full.versions == (3, None)
    full.crash()
    assert full.versions == (3, None)
    assert ["version 3 runs" in full.told[0], "the disk is full" in full.told[1]] == [True, True]


def test_a_process_that_ends_at_any_step_leaves_the_old_model_or_the_new_one(tmp_path: Path) -> None:
    device = Device(tmp_path / "start")
    device.run(2)
    device.run(3)
    candidate = device.candidate(7)
    (device.folder / "candidate.json").write_bytes(manifest_json(candidate.manifest))
    device.store.close()
    command = [sys.executable, str(CHILD), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    results = {name: [tuple(result) for result in found] for name, found in json.loads(done.stdout).items()}
    assert {name: {version for version, _ in found} for name, found in results.items()} == {
        "accept": {3},  # at the end it is on trial, and the process went down
        "refuse": {3},
        "accept_and_confirm": {3, 7},
        "accept_and_roll_back": {3},
        "accept_and_close": {3, 7},
    }
    assert all(len(found) > 3 for found in results.values())
    for found in results.values():
        for _, told in found:
            assert [sentence for sentence in told if "was on trial when" not in sentence] == []
