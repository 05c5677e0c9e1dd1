"""The commands as a user types them, in processes of their own, with a real model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import surefill
from small_bundle import SMALL_BUNDLE

SMALL = ("--bundle", SMALL_BUNDLE)
SOURCE = """\
import json
from pathlib import Path


def read_settings(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    settings = json.loads(text)
    return settings


def read_users(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    users = json.
    return users
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "settings.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_complete_prints_json(source: Path) -> None:
    done = surefill("complete", source, "--at", "13:18", "--json", "--explicit", *SMALL)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    item = answer["items"][0]
    assert item["text"] == "loads(text)"
    assert item["range"]["start"] == {"line": 13, "column": 18}
    assert item["verdicts"] == {
        "parses": "passed",
        "types": "passed",
        "apis": "passed",
        "executed": "unchecked",
    }
    assert item["checker"].startswith("ty ")
    version = ".".join(map(str, sys.version_info[:3]))
    assert {
        "kind": "call",
        "name": "json.loads",
        "known": True,
        "found_in": f"python {version}",
    } in item["uses"]
    assert answer["withheld"] == []
    assert item["mean_logprob"] < 0
    assert set(answer["timings_ms"]) == {
        "total",
        "context",
        "prefill",
        "decode",
        "checks",
        "oracle",
    }
    assert answer["timings_ms"]["total"] >= answer["timings_ms"]["decode"] > 0
    assert set(answer["bundle"]) == {"name", "version"}


def test_complete_shows_the_suggestion_in_place(source: Path) -> None:
    done = surefill("complete", source, "--at", "13:18", "--explicit", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "+ 13 |     users = json.loads(text)" in done.stdout
    # However many lines are suggested, what stood there comes behind them.
    assert re.search(r"^  \d+ \|     return users$", done.stdout, re.MULTILINE)
    assert "parses: passed" in done.stdout
    assert "found json.loads in python 3." in done.stdout
    assert " ms (context " in done.stdout


def test_alternatives_differ(source: Path) -> None:
    done = surefill("complete", source, "--at", "13:18", "--json", "--explicit", "-n", "3", *SMALL)
    texts = [item["text"] for item in json.loads(done.stdout)["items"]]
    assert 1 <= len(texts) <= 3
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("name", "content", "at", "message"),
    [
        ("absent.py", None, "1:1", "does not exist"),
        ("short.py", b"x = 1\n", "9:1", "has 2 lines; line 9 is outside"),
        ("short.py", b"x = 1\n", "1:9", "Line 1 of"),
        ("short.py", b"x = 1\n", "0:1", "counted from 1"),
        ("short.py", b"x = 1\n", "one", "is not a position"),
        ("latin.py", b"x = '\xe9'\n", "1:1", "is not UTF-8 text (byte 0xe9 at offset 5)"),
        ("notes.unknown", b"x\n", "1:1", "The language of"),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, at: str, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = surefill("complete", path, "--at", at, *SMALL)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_a_missing_bundle_names_the_remedy(source: Path, tmp_path: Path) -> None:
    done = surefill("complete", source, "--at", "1:1", "--bundle", tmp_path / "nothing")
    assert done.returncode == 1
    assert "nothing" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["complete", "doctor"])
def test_without_onnxruntime_one_sentence_says_what_to_install(source: Path, command: str) -> None:
    script = (
        "import sys; sys.modules['onnxruntime'] = None; from surefill.cli import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = [source, "--at", "1:1"] if command == "complete" else []
    done = subprocess.run(
        [sys.executable, "-c", script, command, *map(str, (*arguments, *SMALL))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    output = done.stdout + done.stderr
    assert 'pip install "surefill[cpu]"' in output
    assert "Traceback" not in output


def test_doctor_finds_nothing_to_mend() -> None:
    done = surefill("doctor", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything works." in done.stdout
    findings = json.loads(surefill("doctor", "--json", *SMALL).stdout)
    subjects = {finding["subject"] for finding in findings}
    assert {"Surefill", "runtime", "model", "provider", "grammars", "data folder"} <= subjects
    assert {"sandbox", "type checker"} <= subjects
    assert any(finding["detail"].startswith("ty ") for finding in findings)
    assert all(finding["ok"] for finding in findings)


def test_doctor_says_where_no_program_can_be_executed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "surefill", "doctor", *map(str, SMALL)],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr  # completion needs none
    assert "sandbox: no program will be executed." in done.stdout
    assert "Install the package bubblewrap" in done.stdout


def test_doctor_finds_a_damaged_bundle(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text("{", encoding="utf-8")
    done = surefill("doctor", "--bundle", tmp_path)
    assert done.returncode == 1
    assert "problem model: " in done.stdout
    assert "1 to mend." in done.stdout


@pytest.mark.slow
def test_bench_measures_every_budget() -> None:
    done = surefill("bench", "--json", "--rounds", "2", *SMALL)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) == 9
    for row in rows:
        assert row["samples"] > 0, row["name"]
        assert row["p50"] > 0
        assert row["bounds"]


def test_help_teaches_every_command() -> None:
    shown = surefill("--help").stdout
    for command in ("lsp", "complete", "doctor", "bench"):
        assert command in shown
        assert surefill(command, "--help").returncode == 0
