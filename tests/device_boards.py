"""Boards as folders: the files of /proc, /sys and /etc from which the doctor tells them."""

from pathlib import Path

_BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
_TRIXIE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n'
_ARMV7_FLAGS = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32"
_ARMV8_FLAGS = "fp asimd evtstrm crc32 cpuid"
_A76_FLAGS = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
_XEON_FLAGS = "fpu sse sse2 ssse3 avx avx2 fma avx512f avx512_vnni"
_ROOT_ON_CARD = "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\nproc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\n"

_SOC = "sys/devices/platform/soc/soc:firmware/get_throttled"
_SOC_PI5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"


def _arm(model: str, part: str, flags: str, release: str, memory_kb: int, swap_kb: int) -> dict[str, str]:
    core = f"processor\t: {{}}\nBogoMIPS\t: 108.00\nFeatures\t: {flags}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n"
    return {
        "proc/device-tree/model": model + "\0",
        "proc/cpuinfo": "\n".join(core.format(index) for index in range(4)) + f"\nModel\t\t: {model}\n",
        "proc/meminfo": f"MemTotal: {memory_kb} kB\nMemAvailable: {memory_kb // 2} kB\nSwapTotal: {swap_kb} kB\n",
        "proc/mounts": _ROOT_ON_CARD,
        "etc/os-release": release,
        "sys/class/thermal/thermal_zone0/temp": "48312\n",
    }


BOARDS: dict[str, dict[str, str]] = {
    "zero 2 W, 32 bits": {
        **_arm("Raspberry Pi Zero 2 W Rev 1.0", "0xd03", _ARMV7_FLAGS, _BOOKWORM, 437_000, 102_396),
        _SOC: "0\n",
    },
    "zero 2 W": {**_arm("Raspberry Pi Zero 2 W Rev 1.0", "0xd03", _ARMV8_FLAGS, _TRIXIE, 424_000, 0), _SOC: "0\n"},
    "pi 4": {
        **_arm("Raspberry Pi 4 Model B Rev 1.5", "0xd08", _ARMV8_FLAGS, _BOOKWORM, 3_884_000, 204_796),
        _SOC: "0\n",
    },
    "pi 5": {
        **_arm("Raspberry Pi 5 Model B Rev 1.0", "0xd0b", _A76_FLAGS, _TRIXIE, 8_245_000, 2_097_148),
        _SOC_PI5: "0\n",
        "sys/class/rtc/rtc0/name": "rpi-rtc\n",
    },
    "pc": {
        "proc/cpuinfo": f"processor : 0\nmodel name : Intel(R) Xeon(R)\nflags : {_XEON_FLAGS}\n\nprocessor : 1\n",
        "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 9000000 kB\nSwapTotal: 0 kB\n",
        "proc/mounts": "/dev/sda1 / ext4 rw 0 0\n",
        "etc/os-release": _BOOKWORM,
        "sys/class/rtc/rtc0/name": "rtc_cmos\n",
    },
}


def lay_out(folder: Path, board: str, **changed: str) -> Path:
    """Write a board's files below `folder`; `changed` replaces `temp`, `get_throttled`, `mounts` and other names."""
    for path, text in BOARDS[board].items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(changed.get(file.name, text))
    return folder
