"""Run a program under the system call filter and the memory rule of a unit file, without systemd as process 1.

usage: python service_sandbox.py UNIT PROGRAM [ARGUMENT ...]

libseccomp enforces what systemd would: SystemCallFilter= with its groups as `systemd-analyze syscall-filter`
lists them, NoNewPrivileges=, and MemoryDenyWriteExecute= by prctl(PR_SET_MDWE) of Linux 6.3.
"""

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_PR_SET_MDWE, _REFUSE_EXEC_GAIN = 65, 1


def system_calls(name: str) -> set[str]:
    """Return the calls of a group, such as @system-service, or the one that is named."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    names = {line.strip() for line in listed.stdout.splitlines()[1:] if line.strip() and line.strip()[0] != "#"}
    return {call for each in names for call in system_calls(each)}


def allowed_calls(unit: str) -> set[str]:
    """Apply the lines in their order: the first opens, those with ~ take away."""
    allowed: set[str] = set()
    for line in unit.splitlines():
        if line.startswith("SystemCallFilter="):
            names = line.partition("=")[2]
            calls = {call for name in names.lstrip("~").split() for call in system_calls(name)}
            allowed = allowed - calls if names.startswith("~") else allowed | calls
    return allowed


def confine(unit: str) -> None:
    libc, libseccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    libseccomp.seccomp_init.restype = ctypes.c_void_p
    if "MemoryDenyWriteExecute=yes" in unit and libc.prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        sys.exit("this kernel has no PR_SET_MDWE")
    context = ctypes.c_void_p(libseccomp.seccomp_init(_REFUSE))
    for call in allowed_calls(unit):
        number = libseccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            assert libseccomp.seccomp_rule_add(context, _ALLOW, number, 0) == 0
    assert libseccomp.seccomp_load(context) == 0  # sets no_new_privs, too


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.execv(sys.argv[2], sys.argv[2:])
