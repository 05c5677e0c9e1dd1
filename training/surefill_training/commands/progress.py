"""How commands show progress and results, on standard error.

A bar on a terminal; in a file or a pipe, where a bar would be lost, a line now and then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from surefill_training.progress import Progress

console = Console(stderr=True)

_SECONDS_BETWEEN_LINES = 30.0


class Shown(Protocol):
    """What shows how far a task has come: rich's ``Progress``, or lines of a log."""

    def update(
        self,
        task_id: TaskID,
        *,
        total: float | None = None,
        completed: float | None = None,
        description: str | None = None,
    ) -> None:
        """Take what has changed."""


class Lines:
    """A line at the beginning, whenever some time has passed, and at the end."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._began = time.monotonic()
        self._printed: float | None = None
        self._line = ""
        self._description, self._completed, self._total = "", 0.0, 0.0

    def update(
        self,
        task_id: TaskID,
        *,
        total: float | None = None,
        completed: float | None = None,
        description: str | None = None,
    ) -> None:
        """As of ``Shown``."""
        self._total = self._total if total is None else total
        self._completed = self._completed if completed is None else completed
        self._description = self._description if description is None else description
        now = time.monotonic()
        if self._printed is None or now - self._printed >= _SECONDS_BETWEEN_LINES:
            self.show(now)

    def show(self, now: float | None = None) -> None:
        """Print what was told last, unless it is printed already."""
        share = f"{self._completed / self._total:4.0%}" if self._total else "    "
        line = f"{share} {self._description}"
        if self._description and line != self._line:
            self._line, self._printed = line, now or time.monotonic()
            minutes, seconds = divmod(int(self._printed - self._began), 60)
            self._out.print(
                f"{minutes:3}:{seconds:02} {line}", highlight=False, markup=False, soft_wrap=True
            )


@contextmanager
def progress_bar() -> Iterator[tuple[Shown, TaskID]]:
    """What a task's progress is told to, and the name of the task."""
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Bar(*columns, console=console) as bar:
            yield bar, bar.add_task("", total=None)
        return
    lines = Lines(console)
    try:
        yield lines, TaskID(0)
    finally:
        lines.show()


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Shows what it is told: what is being done, how many are done, of how many."""
    with progress_bar() as (shown, task):

        def report(what: str, done: int, total: int) -> None:
            shown.update(task, description=what, completed=done, total=total)

        yield report
