"""Holes asked through the server's pipeline, scored, and written down."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEngine
from small_corpus import module
from surefill.completion.display_filter import DisplayFilter
from surefill.completion.loading import LoadedModel
from surefill.completion.pipeline import CompletionPipeline
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.display import DisplayWeights
from surefill.engine.tokenizer import BundleTokenizer
from surefill.settings import CompletionSettings, Settings
from surefill.syntax.document import Document as Parsed
from surefill_training.corpus.documents import Document
from surefill_training.errors import TrainingError
from surefill_training.evaluate.answers import EVERY_SUGGESTION, Answer, answer, answer_all
from surefill_training.evaluate.bundle import EvaluateOptions, Measured, Plan, results
from surefill_training.evaluate.contestants import MODEL_ALONE, PREVIOUS, Contestant, Kind
from surefill_training.evaluate.holes import TASKS, Hole, Task, draw_holes
from surefill_training.evaluate.plots import by_length
from surefill_training.evaluate.report import markdown, to_json
from surefill_training.evaluate.report_folder import check_run, write_report
from surefill_training.evaluate.scores import bleu, calibration, calibration_error, rouge_l, score
from surefill_training.project import SimulatedProject, uri_of

AREA = Document(
    "thing",
    "area.py",
    "def area(width, height):\n    total = width * height\n    return total.value(width)\n",
)


def hole(text: str, task: Task = "line_end", document: Document = AREA) -> Hole:
    start = document.text.index(text)
    return Hole(document, task, start, start + len(text))


MEAN = DisplayWeights(0.5, {"mean": 1.0})
"""A filter by which the chance is half where each token has a probability of exp(-0.5)."""


@pytest.fixture
def pipeline(tokenizer_file: Path) -> CompletionPipeline:
    template = TEMPLATES["qwen2.5-coder"]
    tokenizer = BundleTokenizer(tokenizer_file, template.special_tokens())
    context = ContextBuilder(tokenizer, template, "spm", 512)
    settings = CompletionSettings(min_confidence=EVERY_SUGGESTION, max_new_tokens=200)
    display = partial(DisplayFilter, MEAN)
    return CompletionPipeline(context, Settings(completion=settings), display=display)


def test_a_line_end_is_right_only_when_all_of_it_is(pipeline: CompletionPipeline) -> None:
    asked = hole("width * height")
    right = answer(pipeline, FakeEngine(["width * height"], logprob=-0.5), asked)
    assert (right.shown, right.exact, right.similarity, right.parses) == (True, True, 1.0, True)
    assert right.confidence == pytest.approx(0.5)
    wrong = answer(pipeline, FakeEngine(["width * width"]), asked)
    assert (wrong.shown, wrong.exact) == (True, False)
    assert 0 < wrong.similarity < 1
    nothing = answer(pipeline, FakeEngine([""]), asked)
    assert (nothing.shown, nothing.exact, nothing.similarity) == (False, False, 0.0)
    assert nothing.text == ""


def test_lines_too_many_are_wrong(pipeline: CompletionPipeline) -> None:
    text = "\n    total = width * height\n    return total.value(width)"
    asked = hole(text, "lines")
    assert answer(pipeline, FakeEngine([text + "  \n"]), asked).exact
    asked = hole(text.partition("    return")[0].rstrip(), "lines")
    more = "\n    total = width * height\n    total += 1"
    assert not answer(pipeline, FakeEngine([more]), asked).exact


def test_behind_a_dot_only_the_name_counts(pipeline: CompletionPipeline) -> None:
    asked = hole("value(width)", "member")
    named = answer(pipeline, FakeEngine(["value(height)"]), asked)
    assert (named.exact, named.similarity) == (True, 1.0)
    assert not answer(pipeline, FakeEngine(["values(width)"]), asked).exact


def test_one_hole_does_not_answer_another(pipeline: CompletionPipeline) -> None:
    engine = FakeEngine(["width * height"], default="height")
    first = answer(pipeline, engine, hole("width * height"))
    line = replace(first.hole, start=first.hole.start + len("width * "))
    assert (first.exact, answer(pipeline, engine, line).exact) == (True, True)
    assert len(engine.calls) == 2


def test_the_defaults_hide_what_is_unsure(pipeline: CompletionPipeline) -> None:
    asked = hole("width * height")
    unsure = answer(pipeline, FakeEngine(["width * height"], logprob=-2), asked)
    assert (unsure.shown, unsure.shown_by_default) == (True, False)
    assert unsure.bar == CompletionSettings().min_confidence
    scores = score([unsure, answer(pipeline, FakeEngine(["width * 2"]), asked)])
    assert (scores.exact_match.mean, scores.shown.mean) == (0.5, 1.0)
    assert (scores.shown_by_default.mean, scores.right_by_default.mean) == (0.5, 0.0)


def test_no_bar_of_the_server_decides_what_counts(pipeline: CompletionPipeline) -> None:
    asked, engine = hole("width", "inside"), FakeEngine(default="left", logprob=-5)
    unsure = answer(pipeline, engine, asked)
    assert (unsure.shown, unsure.shown_by_default) == (True, False)
    sure = unsure.confidence
    assert sure == pytest.approx(1 / (1 + math.exp(4.5)))
    assert answer(pipeline, engine, asked, min_confidence=sure).shown
    hidden = answer(pipeline, engine, asked, min_confidence=sure + 0.01)
    assert (hidden.shown, hidden.exact, hidden.parses) == (False, False, None)


class Remembered:
    """A memory that takes in what it was told when it is waited for, all of a round together."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.rounds: list[set[str]] = []
        self._pending: dict[str, str | None] = {}

    def update(self, uri: str, text: str) -> None:
        self._pending[uri] = text

    def remove(self, uri: str) -> None:
        self._pending[uri] = None

    def flush(self) -> None:
        self.rounds.append({*self._pending})
        for uri, text in self._pending.items():
            if text is None:
                del self.texts[uri]
            else:
                self.texts[uri] = text
        self._pending.clear()

    def close(self) -> None:
        self.texts.clear()


class Observing(FakeEngine):
    """Notes what the memory knows whenever it is asked."""

    def __init__(self, memory: Remembered) -> None:
        super().__init__()
        self.known: list[dict[str, str]] = []
        self._memory = memory

    def generate(self, *arguments: Any, **named: Any) -> Any:
        self.known.append(dict(self._memory.texts))
        return super().generate(*arguments, **named)


def test_a_memory_knows_the_project_and_never_the_middle(pipeline: CompletionPipeline) -> None:
    documents = [
        Document(source, f"{source}/m{i}.py", module(10 * number + i))
        for number, source in enumerate(("alpha", "beta"))
        for i in range(3)
    ]
    holes = [h for task in TASKS for h in draw_holes(documents, task, 6, 0)]
    memory, done = Remembered(), list[int]()
    engine = Observing(memory)
    answers = answer_all(pipeline, engine, memory, holes, documents=documents, on_done=done.append)
    assert [each.hole for each in answers] == holes
    assert done == list(range(1, len(holes) + 1))
    assert memory.texts == {}
    # One document a round: what a real memory takes in together would be left to chance.
    assert {len(changed) for changed in memory.rounds} == {1}
    in_order = sorted(holes, key=lambda h: (h.document.source, h.document.path, h.start))
    for asked, seen in zip(in_order, engine.known, strict=True):
        own = [d for d in documents if d.source == asked.document.source]
        expected = {uri_of(d): d.text for d in own}
        expected[uri_of(asked.document)] = asked.prefix + asked.suffix
        assert seen == expected


def test_imports_are_looked_up_in_the_package_without_the_middle() -> None:
    helper = Document("thing", "thing/helper.py", "def scale(first):\n    return 2 * first\n")
    user = Document(
        "thing", "thing/user.py", "from thing import helper, user\nx = helper.scale(3)\n"
    )
    outside = Document("thing", "../outside.py", "x = 1\n")
    asked = hole("helper.scale(3)", document=user)
    snapshot = Parsed(uri_of(user), asked.language, asked.prefix + asked.suffix).snapshot()
    with SimulatedProject([helper, user, outside], None) as project:
        found = project.cut(user, asked.prefix + asked.suffix).files(snapshot)
        assert [(file.path, file.imported) for file in found][:1] == [("thing/helper.py", True)]
        assert found[0].text == helper.text
        assert all(asked.middle not in file.text for file in found)
        # Once another document is completed, this one is whole again.
        other = hole("scale", document=helper)
        about = Parsed(uri_of(helper), asked.language, "from thing import user\n").snapshot()
        assert [
            file.text for file in project.cut(helper, other.prefix + other.suffix).files(about)
        ] == [user.text]


def test_a_project_beyond_what_a_server_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from surefill_training import project

    documents = [Document("big", f"m{i}.py", "x = 1\n" * 10) for i in range(4)]
    monkeypatch.setattr(project, "MOST_CHARACTERS", 125)
    memory = Remembered()
    with SimulatedProject(documents, memory) as opened:
        assert len(memory.texts) == 2
        opened.cut(documents[3], "\nx = 1")
        assert memory.texts[uri_of(documents[3])].startswith("\nx = 1")
        opened.cut(documents[0], "")
        assert uri_of(documents[3]) not in memory.texts
    assert memory.texts == {}


REST = hole("width * height")


def made(suggested: str, asked: Hole = REST, confidence: float = 0.9) -> Answer:
    shown, compared = bool(suggested), asked.compared(suggested)
    exact = shown and compared == asked.truth
    return Answer(asked, suggested, shown, shown, exact, float(exact), confidence, 0.5, 10.0)


def test_distances_count_signs_and_what_is_missing() -> None:
    assert bleu([made("width * height")] * 4) == 0.0  # no four tokens in a row to compare
    long = hole("def area(width, height):")
    assert bleu([made("def area(width, height):", long)]) == pytest.approx(100)
    assert 0 < bleu([made("def area(width, width):", long)]) < 100
    assert bleu([made("", long)]) == 0.0
    assert rouge_l([made("width * height"), made(""), made("width + height")]) == [
        1.0,
        0.0,
        pytest.approx(2 / 3),
    ]
    assert score([made("value", hole("value(width)", "member"))]).bleu is None


def test_calibration_compares_confidence_with_what_was_right() -> None:
    sure = [made("width * height", confidence=0.95)] * 3 + [made("no", confidence=0.95)]
    bins = calibration([*sure, made("no", confidence=0.12), made("", confidence=0.0)])
    assert [(b.exact, b.count) for b in bins] == [(0.0, 1), (0.75, 4)]
    assert calibration_error(bins) == pytest.approx((0.12 + 4 * 0.2) / 5)
    assert calibration_error([]) is None


def contestant(
    name: str, note: str = "", kind: Kind = "bundle", *, blend: bool = False
) -> Contestant:
    def never(_: Settings) -> LoadedModel:
        raise AssertionError("nothing is loaded here")

    return Contestant(
        name, "1", "int4", kind, blend, 7.0, (name,), True, Settings(), never, note=note
    )


def measured() -> tuple[Plan, list[Measured]]:
    holes = [hole("width * height"), hole("total.value(width)"), hole("value(width)", "member")]
    options = EvaluateOptions(tasks=("line_end", "member"))
    plan = Plan([], [AREA], [AREA.text], holes, "ab" * 32, options, ["Nothing else."])
    mine = [made(h.middle, h) for h in holes] * 6
    theirs = [made("no", h) for h in holes] * 6
    return plan, [
        Measured(contestant("mine"), mine, 1.5),
        Measured(contestant("theirs", PREVIOUS, "baseline"), theirs, None),
    ]


def test_tables_have_a_column_for_each_contestant() -> None:
    lines = markdown(results(*measured())).split("\n")
    assert lines[0] == "| measure | mine 1 (int4) | theirs 1 (int4), previous |"
    for line in (
        "| held-out bits per byte, model alone | 1.500 | – |",
        "| rest of line, exact match | 100.0 % (73.5-100.0) | 0.0 % (0.0-26.5) |",
        "| name after a dot, exact match less that of theirs 1 (int4), previous "
        "| +100.0 (+8.1 to +100.0) | – |",
        "| name after a dot, BLEU | – | – |",
    ):
        assert line in lines
    assert {line.count("|") for line in lines if line} == {4}


def test_a_blend_has_to_beat_its_parts() -> None:
    plan, (mine, theirs) = measured()
    blend = replace(mine, contestant=contestant("mine", blend=True))
    alone = replace(theirs, contestant=contestant("mine", MODEL_ALONE))
    other = replace(theirs, contestant=contestant("another", MODEL_ALONE))
    counted = replace(theirs, contestant=contestant("n-grams", kind="baseline"))
    first, second, *_ = results(plan, [blend, alone, other, theirs, counted])
    assert list(first.gains) == ["mine 1 (int4), model alone", "n-grams 1 (int4)"]
    assert first.gains["n-grams 1 (int4)"]["member"].mean == 1.0
    assert first.against == theirs.contestant.label
    assert list(second.gains) == ["n-grams 1 (int4)"]


def test_json_is_for_the_gate_and_has_no_nan() -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    plan, both = measured()
    both[0] = replace(both[0], answers=[made("", a.hole, 0.0) for a in both[0].answers])
    mine, theirs = json.loads(to_json(results(plan, both)), parse_constant=refuse)
    assert (mine["kind"], theirs["kind"]) == ("bundle", "baseline")
    assert mine["tasks"]["line_end"]["parses"] == {
        "mean": None,
        "low": None,
        "high": None,
        "count": 0,
    }
    assert mine["tasks"]["line_end"]["exact_match"]["count"] == 12
    assert mine["difference"]["member"]["mean"] == 0.0
    assert mine["against"] == theirs["label"] == "theirs 1 (int4), previous"
    assert theirs["difference"] == {}


def test_classes_of_length_hold_all_holes() -> None:
    holes = [replace(hole("value(width)"), end=AREA.text.index("value(") + n) for n in range(3, 11)]
    answers: Sequence[Answer] = [made(h.middle, h) for h in holes for _ in range(2)]
    assert [(name, e.count) for name, e in by_length(answers)] == [("3-7", 10), ("8-15", 6)]


def test_a_report_keeps_the_texts_of_others_to_itself(tmp_path: Path) -> None:
    plan, both = measured()
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_text(
        '{"step": 1, "tokens": 1000, "loss": 5.0, "heldout_bits_per_byte": null}\n'
        '{"step": 2, "tokens": 2000, "loss": 4.0, "heldout_bits_per_byte": 2.5}\n'
    )
    folder = tmp_path / "report"
    write_report(folder, plan, both, results(plan, both), run=run)
    images = sorted(file.name for file in folder.glob("*.png"))
    assert images == ["calibration.png", "lengths.png", "losses.png"]
    words = (folder / "report.md").read_text()
    assert all(f"({image})" in words for image in images)
    assert "Nothing else." in words
    assert "| rest of line, exact match |" in words
    text = (folder / "holes.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 36
    assert rows[0]["hole"] == f"line_end:thing/area.py:{both[0].answers[0].hole.start}-51"
    assert (rows[0]["missing"], rows[0]["exact"], rows[0]["confidence"]) == (14, True, 0.9)
    assert "width" not in text
    write_report(folder, plan, both, results(plan, both), keep_text=True)
    assert json.loads((folder / "holes.jsonl").read_text().split("\n")[0])["missing_text"]
    assert "losses.png" not in (folder / "report.md").read_text()


def test_runs_without_reports(tmp_path: Path) -> None:
    for text in (None, "", "{}\n", "no json\n"):
        if text is not None:
            (tmp_path / "metrics.jsonl").write_text(text)
        with pytest.raises(TrainingError, match=r"metrics.jsonl cannot be read .* leave --run out"):
            check_run(tmp_path)
