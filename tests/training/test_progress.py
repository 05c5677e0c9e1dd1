"""Progress in a log: lines that say how far it is, and not too many of them."""

import io

import pytest
from rich.console import Console

from surefill_training.commands import progress


@pytest.fixture
def log(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=stream, force_terminal=False, width=20))
    return stream


def test_a_log_gets_the_first_and_the_last_state_and_no_bar(log):
    with progress.shown_progress() as report:
        for done in range(1_000):
            report("counting [2]-grams of a long name", done, 999)
    lines = log.getvalue().splitlines()
    assert [line[7:] for line in lines] == [
        "  0% counting [2]-grams of a long name",
        "100% counting [2]-grams of a long name",
    ]


def test_time_that_passes_brings_a_line_and_failure_the_last_state(log, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    with pytest.raises(ValueError), progress.progress_bar() as (shown, task):
        shown.update(task, description="reading")
        shown.update(task, description="writing", completed=1, total=4)
        raise ValueError
    assert [line[7:].strip() for line in log.getvalue().splitlines()] == ["reading", "25% writing"]


def test_a_terminal_gets_a_bar(log, monkeypatch):
    terminal = Console(file=log, force_terminal=True, width=80)
    monkeypatch.setattr(progress, "console", terminal)
    with progress.shown_progress() as report:
        report("counting", 1, 1)
    assert "━" in log.getvalue()
