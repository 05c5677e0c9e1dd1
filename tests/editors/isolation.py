"""Programs that see nothing of this user and leave nothing running.

Each runs in process and network namespaces of its own: when it ends, the kernel ends whatever it
started, and nothing of it reaches a network.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil


def environment(home: Path) -> dict[str, str]:
    """Variables for a program whose every file of its own is below ``home``.

    On its ``PATH`` the command ``surefill`` is the one of these tests.
    """
    programs = home / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    command = programs / "surefill"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m surefill "$@"\n')
    command.chmod(0o755)
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(home / "tmp"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }


def isolated(command: list[str], variables: dict[str, str]) -> list[str]:
    """``command`` in namespaces of its own, with ``variables`` and no others."""
    for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
        Path(variables[name]).mkdir(parents=True, exist_ok=True)
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    own = ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return [*own, "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *command]


def end(program: subprocess.Popen, patience: float) -> list[psutil.Process]:
    """Kill an isolated program; returns what it started and is still there, of which is nothing.

    ``patience`` is how many seconds the kernel is given.
    """
    started = [psutil.Process(program.pid)]
    with contextlib.suppress(psutil.NoSuchProcess):  # it has crashed
        started += started[0].children(recursive=True)
    program.kill()
    program.wait()
    _, left = psutil.wait_procs(started, timeout=patience)
    return left
