"""Nothing half-written, and no folder left that was made in vain."""

import os
from pathlib import Path

import pytest

from edge_seg.files import atomic_path, check_can_write, write_text


def test_a_failure_leaves_neither_file_nor_folder_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "er" / "x.txt"
    with pytest.raises(OSError, match="full") as caught, atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise OSError(28, "full")
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is a device or a pipe") as caught:
        write_text(tmp_path / "pipe", "text")
    assert caught.value.filename == str(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_folders_that_were_there_stay(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "old" / "x.txt"):
        raise RuntimeError
    assert (tmp_path / "old").is_dir()


def test_a_success_replaces_the_file(tmp_path: Path) -> None:
    for text in ("one", "two"):
        write_text(tmp_path / "new" / "x.txt", text)
    assert [path.read_text() for path in tmp_path.rglob("*.txt")] == ["two"]


def test_checking_makes_nothing_and_refuses_a_way_through_a_file(tmp_path: Path) -> None:
    check_can_write(tmp_path / "new" / "er")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        check_can_write(tmp_path / "file" / "new")
