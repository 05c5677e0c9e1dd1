"""What the processes of a sandbox use together, seen from outside.

The limits that the kernel sets hold for each process; what many of them, or many small files, take
together has to be watched. What has ended meanwhile or cannot be read counts nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def memory_above(init: int, most: int) -> bool:
    """Whether ``init`` and all its descendants use more than ``most`` bytes of memory."""
    pids = _descendants(init)
    # Resident pages are quickly counted, but those that processes share are counted repeatedly.
    return sum(map(_resident, pids)) > most and sum(map(_proportional, pids)) > most


def files_in(init: int, folder: str) -> int:
    """How many files and folders the file system at ``folder`` holds, as ``init`` sees it."""
    with contextlib.suppress(OSError):
        found = os.statvfs(f"/proc/{init}/root{folder}")
        return found.f_files - found.f_ffree
    return 0


def _descendants(init: int) -> list[int]:
    """``init`` and what descends from it: orphans in a process namespace become its children."""
    found, left = [], [init]
    while left:
        pid = left.pop()
        found.append(pid)
        for thread in _listing(Path(f"/proc/{pid}/task")):
            left.extend(map(int, _text(thread / "children").split()))
    return found


def _listing(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if len(fields) > 1 else 0


def _proportional(pid: int) -> int:
    """Bytes in memory, each shared page divided by the number of processes that share it."""
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)
