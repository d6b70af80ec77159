"""Started by `sandbox` in a process of its own: reads a program from standard input, fences itself in, and becomes it.

On Linux, where the kernel lets a user do so, namespaces take away the network, the right to write anywhere but into an
empty folder in memory, and the sight of other processes. Everywhere, limits bound processor time, memory, file size
and files, and forbid further processes. The folder and the environment are empty.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import struct
import sys

NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 16384, 1 << 18
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, ATTR_READ_ONLY_NOSUID = 442, -100, 0x8000, 3
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NOBODY = 65534
MOST_BYTES = 16_000_000  # of a file


def fence_in() -> list[str]:
    """Namespaces: gives the names of the fences that stand. The process is another one afterwards."""
    if not sys.platform.startswith("linux"):
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_USER | NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NETWORK) != 0:
        return []
    # As nobody, so that the program, once it is run, has no rights even within its namespaces.
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {user} 1"), ("gid_map", f"{NOBODY} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    stand = ["network", "processes"]
    attributes = struct.pack("QQQQ", ATTR_READ_ONLY_NOSUID, 0, 0, 0)
    private = libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) == 0
    if private and libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes)) == 0:
        here = os.getcwd().encode()
        if libc.mount(b"none", here, b"tmpfs", MS_NOSUID | MS_NODEV, b"size=16m,mode=777") == 0:
            os.chdir(here)
            stand.append("files")
    _become_first_process(libc)
    return stand


def _become_first_process(libc: ctypes.CDLL) -> None:
    """The child is the first process of its namespace, so all others die with it; the parent only waits for it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(min(os.waitstatus_to_exitcode(status) % 256, 255))
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit(seconds: float, memory_mb: int) -> None:
    """Limits that no program can raise again."""
    time, memory = math.ceil(seconds) + 1, memory_mb * 1_000_000
    limits = {resource.RLIMIT_CPU: time, resource.RLIMIT_AS: memory, resource.RLIMIT_FSIZE: MOST_BYTES,
              resource.RLIMIT_NOFILE: 64, resource.RLIMIT_NPROC: 0, resource.RLIMIT_CORE: 0}  # fmt: skip
    for kind, most in limits.items():
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):  # macOS knows no RLIMIT_AS that holds, and a lower hard limit may stand already
            continue


def main() -> None:
    """Arguments: seconds, megabytes. Exit code: the program's."""
    program = sys.stdin.buffer.read()
    stand = fence_in()
    with open("program.py", "wb") as file:
        file.write(program)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    limit(float(sys.argv[1]), int(sys.argv[2]))
    fenced = {"FENCES": " ".join(stand), "PYTHONIOENCODING": "utf-8"}
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-B", "program.py"], fenced)


if __name__ == "__main__":
    main()
