"""Fixtures that more than one test module uses."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real data sets beside the project; the test skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: the real data sets are not part of the project")
    return folder


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Give a function that mounts a disk of a size, as `64k` or `8m`."""
    folders: list[Path] = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"disk{len(folders)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk takes root")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(mount_disk: Callable[[str], Path]) -> Path:
    return mount_disk("64k")


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """Where an S3 server of this machine listens."""
    from object_stores import s3_server

    with s3_server() as url:
        yield url


@pytest.fixture(scope="module")
def gs_url() -> Iterator[str]:
    """Where a server of Cloud Storage's interface listens on this machine."""
    from object_stores import gs_server

    with gs_server() as url:
        yield url
