from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path


@contextmanager
def working_directory(path: str | Path) -> Iterator[Path]:
    """Change into a folder and back again."""
    previous = Path.cwd()
    os.chdir(path)
    try:
        yield Path(path)
    finally:
        os.chdir(previous)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for a while."""
    saved = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def captured_output() -> Iterator[tuple[StringIO, StringIO]]:
    old_out, old_err = sys.stdout, sys.stderr
    out, err = StringIO(), StringIO()
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = old_out, old_err


class Timer:
    """Measures the time that a block takes."""

    def __init__(self, name: str = "block") -> None:
        self.name = name
        self.elapsed = 0.0

    def __enter__(self) -> Timer:
        self._start = time.perf_counter()
        return self

    def __exit__(self, exc_type, exc_value, traceback) -> bool:
        self.elapsed = time.perf_counter() - self._start
        print(f"{self.name}: {self.elapsed:.3f} s")
        return False


class TemporaryCopy:
    """Works on a copy of a folder and puts it in place only if all went well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copy: Path | None = None

    def __enter__(self) -> Path:
        self.copy = Path(tempfile.mkdtemp()) / self.folder.name
        shutil.copytree(self.folder, self.copy)
        return self.copy

    def __exit__(self, exc_type, exc_value, traceback) -> None:
        if exc_type is None:
            shutil.rmtree(self.folder)
            shutil.move(self.copy, self.folder)
        shutil.rmtree(self.copy.parent, ignore_errors=True)


def open_all(paths: list[Path]) -> list[str]:
    with ExitStack() as stack:
        files = [stack.enter_context(path.open()) for path in paths]
        return [file.readline().rstrip("\n") for file in files]
