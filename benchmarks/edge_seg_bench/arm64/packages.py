"""arm64 packages of Debian or Ubuntu, fetched by the system's apt and unpacked into a folder; needs no root."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from platform import freedesktop_os_release

from edge_seg_bench.arm64.programs import require_program, run

PYTHON_PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
_UBUNTU_ARM64 = "http://ports.ubuntu.com/ubuntu-ports"


def release() -> str:
    """Name the system's release, whose packages these are, e.g. "debian-bookworm"."""
    system = freedesktop_os_release()
    return f"{system['ID']}-{system.get('VERSION_CODENAME', 'unnamed')}"


def unpack_python(root: Path, scratch: Path) -> None:
    """Unpack an arm64 Python with its libraries into `root`; apt keeps its own files in `scratch`.

    Raises:
        BenchmarkError: no apt, or it could not fetch the packages.
    """
    apt = update_lists(scratch)
    fetch = [require_program("apt-get"), *apt, "--yes", "--download-only", "install", *PYTHON_PACKAGES]
    run(fetch, doing="fetching an arm64 Python")
    unpack(scratch / "archives", root)
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")


def update_lists(scratch: Path) -> list[str]:
    """Fetch the list of arm64 packages; return the options with which apt knows them.

    Raises:
        BenchmarkError: no apt, or it could not fetch the list.
    """
    options = apt_options(scratch, ubuntu_sources(scratch, freedesktop_os_release()))
    for folder in ("lists/partial", "archives/partial"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    run([require_program("apt-get"), *options, "update"], doing="fetching the list of arm64 packages")
    return options


def download(packages: Sequence[str], options: Sequence[str], folder: Path) -> None:
    """Download packages, without what they depend on, into `folder`; `options` are those of `update_lists`.

    Raises:
        BenchmarkError: apt could not fetch them.
    """
    fetch = [require_program("apt-get"), *options, "download", *packages]
    run(fetch, doing=f"fetching {', '.join(packages)} for arm64", folder=folder)


def unpack(archives: Path, root: Path) -> None:
    """Unpack every package of the folder `archives` into `root`."""
    dpkg = require_program("dpkg-deb")
    for package in sorted(archives.glob("*.deb")):
        run([dpkg, "--extract", str(package), str(root)], doing=f"unpacking {package.name}")


def apt_options(scratch: Path, sources: Path | None) -> list[str]:
    """Return the options with which apt sees an empty arm64 system that keeps all its files in `scratch`."""
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
        "Dir::State": str(scratch),
        "Dir::State::Lists": str(scratch / "lists"),
        "Dir::State::status": str(scratch / "status"),
        "Dir::Cache": str(scratch),
        "Dir::Cache::Archives": str(scratch / "archives"),
        "Dir::Log": str(scratch),
    }
    if sources is not None:
        settings |= {"Dir::Etc::SourceList": str(sources), "Dir::Etc::SourceParts": "/dev/null"}
    return ["--quiet=2", *(part for key, value in settings.items() for part in ("--option", f"{key}={value}"))]


def ubuntu_sources(scratch: Path, system: Mapping[str, str]) -> Path | None:
    """Write where Ubuntu keeps its arm64 packages, apart from the others; None on any other system."""
    if system["ID"] != "ubuntu":
        return None
    release_name = system["VERSION_CODENAME"]
    suites = (release_name, f"{release_name}-updates", f"{release_name}-security")
    path = scratch / "sources.list"
    path.write_text("".join(f"deb {_UBUNTU_ARM64} {suite} main universe\n" for suite in suites), encoding="utf-8")
    return path
