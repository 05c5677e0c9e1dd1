"""The command line of a sandbox: what a program can see in it, who it is there, what it may use.

Starts nothing. The program sees a read-only system with this interpreter, an empty ``/tmp`` of
limited size as the only place to write, no network, no environment, no other process, and nothing
of any home folder but the interpreter, should that lie there.
https://github.com/containers/bubblewrap
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from surefill.errors import SandboxError

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
_PARTS = ("bin", "lib", "lib64", "pyvenv.cfg")
"""Of an installation of Python: beside them may lie what is nobody's business."""
_ENVIRONMENT = {
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    # Numerical libraries start a thread for each core, and reserve memory for each.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_PROGRAM = "/program/main.py"
_NOBODY = 65534
_FEWEST_USERS = 1000
_SPARE_USERS = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """What a program may use. Sizes are in bytes."""

    wall_seconds: float = 10.0
    cpu_seconds: int = 10
    """Of each process."""
    memory: int = 512 * 2**20
    """Of all processes together, and the address space of each."""
    processes: int = 32
    """Processes and threads at a time."""
    open_files: int = 64
    file_size: int = 16 * 2**20
    temporary: int = 64 * 2**20
    """Contents of ``/tmp``."""
    files: int = 10_000
    """Files and folders in ``/tmp``."""
    output: int = 2**20
    """Of each of the two output streams."""


@dataclass(frozen=True)
class Descriptors:
    """What bubblewrap and the launcher read from and report to."""

    program: int
    calls: int
    """The filter of system calls."""
    info: int
    ready: int


def find() -> str:
    """Path of bubblewrap; raises SandboxError where there is none."""
    if sys.platform != "linux":
        raise SandboxError("Programs are executed in bubblewrap only, which needs Linux.")
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxError(
            "Programs are executed in bubblewrap only, and it is not installed.",
            "Install the package bubblewrap, for example with `apt install bubblewrap`.",
        )
    return found


def command(
    bubblewrap: str, descriptors: Descriptors, argv: Sequence[str], limits: Limits
) -> list[str]:
    """The command that runs a Python program in a sandbox."""
    user = _spare_user()
    options = [
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"),
        *("--unshare-cgroup-try", "--hostname", "sandbox"),
        *("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
        *_user(user),
        *("--info-fd", str(descriptors.info), "--seccomp", str(descriptors.calls)),
        *_system(),
        # Before the interpreter, which may lie in there.
        *("--perms", "1777", "--size", str(limits.temporary), "--tmpfs", "/tmp"),
        *_interpreter(),
        # The device folder and the root are in memory, and would be places to write.
        *("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
        *("--dir", "/program", "--perms", "0444", "--file", str(descriptors.program), _PROGRAM),
        *("--remount-ro", "/", "--chdir", "/tmp"),
        *(part for item in _ENVIRONMENT.items() for part in ("--setenv", *item)),
    ]
    launcher = Path(__file__).with_name("launcher.py").read_text(encoding="utf-8")
    launch = [sys.executable, "-I", "-S", "-c", launcher]
    launch += [str(descriptors.ready), str(user), _resource_limits(limits)]
    return [bubblewrap, *options, "--", *launch, sys.executable, "-I", _PROGRAM, *argv]


def _user(spare: int) -> Sequence[str]:
    """Who the program is.

    For root the kernel neither counts processes nor protects what root may write, whatever it is
    called in a user namespace. So there it becomes a user that nobody is, which the launcher needs
    two capabilities for and loses them by.
    """
    if spare:
        return "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"
    return "--unshare-user", "--uid", str(_NOBODY), "--gid", str(_NOBODY)


def _spare_user() -> int:
    """A user id that nobody has and that root may become, another one each time; 0 if not root."""
    if os.geteuid() != 0:
        return 0
    most = _SPARE_USERS * 2
    for name in ("uid_map", "gid_map"):
        lines = Path(f"/proc/self/{name}").read_text(encoding="ascii").splitlines()
        most = min(most, max(int(first) + int(count) for first, _, count in map(str.split, lines)))
    if most < _FEWEST_USERS:  # root of a namespace of one user is no more than that user
        return 0
    return most - 1 - secrets.randbelow(most // 2)


def _system() -> Iterator[str]:
    for folder in map(Path, _SYSTEM):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    # Where libraries lie; nothing else of /etc is needed.
    yield from ("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache")


def _interpreter() -> Iterator[str]:
    """This interpreter, where it is not part of the system, with what is installed for it."""
    places = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    places += [os.path.join(prefix, part) for prefix in prefixes for part in _PARTS]  # noqa: PTH118
    both = {Path(form) for place in places for form in (place, os.path.realpath(place))}
    made: set[Path] = set()
    for place in sorted(both):
        inside = made.union(map(Path, _SYSTEM)).intersection((place, *place.parents))
        if inside or not place.exists():
            continue
        # By itself bubblewrap would make them so that only the one who starts it can pass.
        for parent in reversed(place.parents[:-1]):
            yield from ("--dir", str(parent))
        yield from ("--ro-bind", str(place), str(place))
        made.add(place)


def _resource_limits(limits: Limits) -> str:
    values = {
        "RLIMIT_AS": limits.memory,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    return ",".join(f"{name}={value}" for name, value in values.items())
