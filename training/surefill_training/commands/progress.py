"""How commands show progress and results, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from surefill_training.progress import Progress

console = Console(stderr=True)


@contextmanager
def progress_bar() -> Iterator[tuple[Bar, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console) as bar:
        yield bar, bar.add_task("", total=None)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar that shows what it is told: what is being done, how many are done, of how many."""
    with progress_bar() as (bar, task):

        def report(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield report
