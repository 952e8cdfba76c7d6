"""An arm64 Python with what the device needs, in a folder, and the command that runs it as a chosen core.

    root/            Debian's or Ubuntu's Python and libraries
    site-packages/   the device's requirements and one runtime
    cores/NAME/      root/ as that core sees it: links, and its own /proc/cpuinfo
    project/         links to the code of edge-seg that runs this
    pycache/         compiled by the emulated Python

The emulated Python cannot start other programs.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import edge_seg
import edge_seg_bench
from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.cores import CORES, Core
from edge_seg_bench.arm64.packages import release, unpack_python
from edge_seg_bench.arm64.programs import QEMU, check_system, require_program, run

_LITERT = "ai-edge-litert"
# What pyproject.toml says for 32-bit boards, which have this runtime alone.
_TFLITE_RUNTIME = ("tflite-runtime>=2.14", "numpy<2")
_LIBRARIES = ("numpy", "opencv-python-headless")
_OLDEST_PYTHON = (3, 11)
_NEWEST_PYTHON_OF_TFLITE_RUNTIME = (3, 11)


@dataclass(frozen=True)
class Userland:
    """A finished userland, and the code of edge-seg that it runs."""

    folder: Path
    code: Path
    """What has the packages of edge-seg in it: links to those that run this, or a folder they were installed into."""

    @property
    def site_packages(self) -> Path:
        """The device's requirements."""
        return self.folder / "site-packages"

    @property
    def libraries(self) -> dict[str, str]:
        """Versions of what a frame goes through beside edge-seg and the runtime, by name."""
        places = [str(self.site_packages)]
        found = [next(iter(importlib.metadata.distributions(name=name, path=places)), None) for name in _LIBRARIES]
        python = (self.folder / "root/usr/bin/python3").readlink().name.removeprefix("python")
        return {"python": python, **{library.name: library.version for library in found if library is not None}}

    def command(self, core: Core, arguments: Sequence[str], *, qemu_options: Sequence[str] = ()) -> list[str]:
        """Return the command that runs arm64 Python with `arguments` on `core`."""
        root = self.folder / "cores" / core.name
        python = str(root / "usr/bin/python3")
        return [require_program(QEMU), "-cpu", core.name, *qemu_options, "-L", str(root), python, *arguments]

    def environment(self, *paths: Path) -> dict[str, str]:
        """Return the variables of that command, with `paths` to import from."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LD_"))}
        return inherited | {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONPYCACHEPREFIX": str(self.folder / "pycache"),
            "PYTHONHASHSEED": "0",
            "PYTHONNOUSERSITE": "1",
            "PYTHONSAFEPATH": "1",
        }

    def run(self, core: Core, arguments: Sequence[str], *, doing: str, qemu_options: Sequence[str] = ()) -> str:
        """Run arm64 Python, which can import edge_seg and edge_seg_bench, on `core`; return its stdout.

        Raises:
            BenchmarkError: it failed.
        """
        environment = self.environment(self.code, self.site_packages)
        return run(self.command(core, arguments, qemu_options=qemu_options), doing=doing, environment=environment)


def default_folder() -> Path:
    """Return the folder for userlands in the user's cache (XDG Base Directory Specification)."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "edge-seg" / "arm64"


def open_userland(runtime: str, folder: Path, announce: Callable[[str], None]) -> Userland:
    """Return the userland with `runtime` that is in `folder`, built first when it is not there.

    Args:
        runtime: one of edge_seg.runtimes.RUNTIMES.
        folder: holds one userland for each runtime, release and set of requirements.
        announce: told before something that takes long.

    Raises:
        BenchmarkError: not x86-64 Linux, a program is absent, or packages could not be fetched.
    """
    check_system()
    require_program(QEMU)
    requirements = device_requirements(importlib.metadata.requires("edge-seg") or [], runtime, _installed_litert())
    folder = folder.absolute()
    finished = folder / f"{release()}-{runtime}-{_digest(requirements)}"
    if not finished.is_dir():
        announce(f"an arm64 Python with {runtime}, in {finished}: once, about a minute")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{finished.name}.", dir=folder) as scratch:
            _rename(_build(Path(scratch), runtime, requirements), finished)
    return Userland(finished, _link_project(finished / "project"))


def install_wheel(userland: Userland, wheel: Path, folder: Path) -> Userland:
    """Return `userland` with edge-seg as pip installs its `wheel` there, into the empty `folder`.

    Raises:
        BenchmarkError: pip cannot install it there, or one of its requirements is absent or not for arm64.
    """
    pip = _link_pip(folder / "pip")
    installed = Userland(userland.folder, folder / "code")
    _pip(
        installed,
        ["install", "--quiet", "--no-deps", "--target", str(installed.code), str(wheel)],
        pip,
        "installing the wheel",
    )
    _pip(installed, ["check"], pip, "checking the wheel's requirements", installed.code, installed.site_packages)
    return installed


def device_requirements(declared: Iterable[str], runtime: str, litert_version: str | None) -> list[str]:
    """Return those of a distribution's `declared` requirements that no extra brings, with `runtime` for its runtime.

    LiteRT is the version that is installed here, `litert_version`, so that answers can be compared.
    """
    of_device = [requirement for requirement in declared if "extra ==" not in requirement]
    if runtime == "litert":
        return [*of_device, *([] if litert_version is None else [f"{_LITERT}=={litert_version}"])]
    return [*(requirement for requirement in of_device if not requirement.startswith(_LITERT)), *_TFLITE_RUNTIME]


def _installed_litert() -> str | None:
    try:
        return importlib.metadata.version(_LITERT)
    except importlib.metadata.PackageNotFoundError:
        return None


def _build(scratch: Path, runtime: str, requirements: Sequence[str]) -> Path:
    userland = Userland(scratch / "userland", scratch)
    root = userland.folder / "root"
    root.mkdir(parents=True)
    unpack_python(root, scratch / "apt")
    for core in CORES:
        _make_core(userland.folder / "cores" / core.name, core, root)
    _check_python(root, runtime)
    install = ["install", "--quiet", "--only-binary=:all:", "--no-compile", "--target", str(userland.site_packages)]
    pip = _link_pip(scratch / "pip")
    _pip(userland, [*install, *requirements], pip, "installing the device's requirements")
    return userland.folder


def _make_core(folder: Path, core: Core, root: Path) -> None:
    (folder / "proc").mkdir(parents=True)
    (folder / "proc/cpuinfo").write_text(core.cpuinfo(), encoding="utf-8")
    for entry in root.iterdir():
        (folder / entry.name).symlink_to(Path("../..") / root.name / entry.name)


def _check_python(root: Path, runtime: str) -> None:
    check_python((root / "usr/bin/python3").readlink().name.removeprefix("python"), runtime)


def check_python(version: str, runtime: str) -> None:
    """Raise BenchmarkError when a release's Python, e.g. "3.13", does not run this project with `runtime`."""
    numbers = tuple(map(int, version.split(".")))
    if numbers < _OLDEST_PYTHON:
        raise BenchmarkError(f"edge-seg needs Python 3.11, and this system's release has {version}; use Debian 12")
    if runtime == "tflite_runtime" and numbers > _NEWEST_PYTHON_OF_TFLITE_RUNTIME:
        raise BenchmarkError(
            f"tflite_runtime stops at Python 3.11, and this system's release has {version}; "
            "use Debian 12, or --runtime litert"
        )


def _pip(userland: Userland, arguments: Sequence[str], pip: Path, doing: str, *paths: Path) -> None:
    """Let this environment's pip run as arm64, so that it sees the wheels and markers of arm64."""
    settings = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    run(
        userland.command(CORES[-1], ["-m", "pip", *arguments]),
        doing=f"{doing} for arm64",
        environment=userland.environment(pip, *paths) | settings,
    )


def _link_pip(folder: Path) -> Path:
    """Link to this environment's pip from `folder`, away from its other packages."""
    pip = importlib.util.find_spec("pip")
    if pip is None or pip.origin is None:
        raise BenchmarkError("pip is not installed in this environment; type  python -m ensurepip")
    folder.mkdir(parents=True)
    (folder / "pip").symlink_to(Path(pip.origin).parent)
    return folder


def _link_project(folder: Path) -> Path:
    """Link to the packages that run this: beside them may lie others, of this machine's architecture."""
    packages = [Path(str(module.__file__)).parent for module in (edge_seg, edge_seg_bench)]
    links = folder / _digest(map(str, packages))
    links.mkdir(parents=True, exist_ok=True)
    for package in packages:
        link = links / package.name
        if not link.is_symlink():
            _link(link, str(package))
    return links


def _rename(made: Path, finished: Path) -> None:
    """Give a userland its name, unless another process was faster."""
    try:
        made.rename(finished)
    except OSError:
        if not finished.is_dir():
            raise


def _link(link: Path, target: str) -> None:
    """Make a link, unless another process was faster."""
    try:
        link.symlink_to(target)
    except FileExistsError:
        return


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
