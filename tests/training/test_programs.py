"""Bundles in ordinary programs: what is shown there, keystrokes saved, and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeEngine
from surefill.completion.loading import LoadedModel
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.tokenizer import BundleTokenizer
from surefill.settings import Settings
from surefill_training import cli
from surefill_training.evaluate import program_results
from surefill_training.evaluate.contestants import Contestant
from surefill_training.evaluate.places import Place, find_places
from surefill_training.evaluate.program_answers import PlaceAnswer, answer_places
from surefill_training.evaluate.program_editor import open_editor
from surefill_training.evaluate.program_scores import (
    ALL,
    BELOW,
    NOTHING_BELOW,
    OTHERS,
    score_programs,
    useful_difference,
)
from surefill_training.evaluate.programs import Program
from surefill_training.evaluate.typing_simulation import (
    TypedProgram,
    asking_points,
    keystrokes,
    type_programs,
)
from tiny_models import make_bundle

LISTING = Program("python", "listing.py", "import os\n\n\ndef show():\n    print(os.name)\n")


@pytest.fixture
def context(tokenizer_file: Path) -> ContextBuilder:
    template = TEMPLATES["qwen2.5-coder"]
    tokenizer = BundleTokenizer(tokenizer_file, template.special_tokens())
    return ContextBuilder(tokenizer, template, "spm", 512)


def loaded(context: ContextBuilder, engine: FakeEngine) -> LoadedModel:
    return LoadedModel(engine, context, "fake", "1", "cpu")


class Recorder:
    """What a model remembers of the project, in the order in which it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []

    def update(self, uri: str, text: str) -> None:
        self.told.append((uri, text))

    def remove(self, uri: str) -> None:
        self.told.append((uri, None))

    def flush(self) -> None:
        """Nothing is pending."""


def place_at(text: str, *, below: bool = True) -> Place:
    start = LISTING.text.index(text)
    return Place(LISTING, "line_start", start, start + len(text), below)


def answers_to(context: ContextBuilder, engine: FakeEngine, *places: Place) -> list[PlaceAnswer]:
    with open_editor(loaded(context, engine), Settings(), checker=False) as editor:
        return answer_places(editor, places, lambda _: None)


def test_places_are_asked_with_the_thresholds_of_an_editor(context: ContextBuilder) -> None:
    place = place_at("print(os.name)")
    (right,) = answers_to(context, FakeEngine(["print(os.name)"], logprob=-0.01), place)
    assert (right.outcome, right.text) == ("right", "print(os.name)")
    assert right.confidence == pytest.approx(0.970, abs=1e-3)
    (unsure,) = answers_to(context, FakeEngine(["print(os.name)"], logprob=-1.5), place)
    assert (unsure.outcome, unsure.text) == ("silent", "")
    assert unsure.reason == "the model is not sure enough"
    (begins,) = answers_to(context, FakeEngine(["print(os.sep)"], logprob=-0.01), place)
    assert begins.outcome == "begins"


def test_languages_that_the_model_does_not_know_stay_silent(context: ContextBuilder) -> None:
    model = replace(loaded(context, FakeEngine(default="print(os.name)")), languages=("go",))
    with open_editor(model, Settings(), checker=False) as editor:
        (answer,) = answer_places(editor, [place_at("print(os.name)")], lambda _: None)
    assert (answer.outcome, answer.text) == ("silent", "")
    assert answer.reason == "the model was not trained for this language"


def test_what_was_shown_at_one_place_does_not_answer_another(context: ContextBuilder) -> None:
    engine = FakeEngine(["print(os.name)", "os.sep)"], logprob=-0.01)
    first, second = answers_to(
        context, engine, place_at("print(os.name)"), place_at("os.name)", below=False)
    )
    assert (first.outcome, second.outcome) == ("right", "begins")
    assert second.text == "os.sep)"
    assert len(engine.calls) == 2


def test_repeated_lines_are_told(context: ContextBuilder) -> None:
    program = replace(LISTING, text=LISTING.text + "    show()\n    print(os.sep)\n")
    start = program.text.index("print(os.sep)")
    place = Place(program, "line_start", start, start + len("print(os.sep)"))
    again, new = answers_to(
        context, FakeEngine(["print(os.name)", "print(show)"], logprob=-0.01), place, place
    )
    assert (again.outcome, again.repeats) == ("begins", True)
    assert (new.outcome, new.repeats) == ("begins", False)
    shares = score_programs([again, new], []).languages[ALL]
    assert shares.repeats.mean == 0.5


def test_nothing_of_what_is_missing_is_to_be_found(context: ContextBuilder) -> None:
    """Neither in the project's index nor in what the model reads, nor on the disk."""
    memory = Recorder()
    engine = FakeEngine(default="pass")
    model = replace(loaded(context, engine), memory=memory)  # type: ignore[arg-type]
    whole = [place for place in find_places(LISTING) if "os.name" in place.middle]
    assert len(whole) >= 2
    places = [replace(place, below=below) for place in whole for below in (True, False)]
    with open_editor(model, Settings(), checker=False) as editor:
        answer_places(editor, places, lambda _: None)
    assert all("os.name" not in (text or "") for _, text in memory.told)
    assert [text for _, text in memory.told[1::2]] == [None] * len(places)
    assert not any("os.name" in call.prompt.prefix + call.prompt.suffix for call in engine.calls)
    assert not any(Path(uri.removeprefix("file://")).exists() for uri, _ in memory.told)


def test_the_editor_asks_where_something_begins() -> None:
    text = "x = f(a1.b_c, 'd')\n    return\n"
    found = [text[at : at + 3].rstrip() for at in asking_points(text)]
    assert found == ["x =", "= f", "f(a", "a1.", "b_c", "'d'", "d')", ")", "ret"]


def test_indentation_costs_nothing() -> None:
    assert keystrokes("return x") == 8
    assert keystrokes("if x:\n        return\n    y") == len("if x:\nreturn\ny")
    assert keystrokes("    x", "") == 1
    assert keystrokes(" x", "y =") == 2


def typed_with(context: ContextBuilder, engine: FakeEngine, requests: int = 100) -> TypedProgram:
    with open_editor(loaded(context, engine), Settings(), checker=False) as editor:
        (typed,) = type_programs(editor, [LISTING], requests, lambda _: None)
    return typed


def test_only_what_is_right_to_its_end_saves_keystrokes(context: ContextBuilder) -> None:
    whole = keystrokes(LISTING.text)
    nothing = typed_with(context, FakeEngine())
    assert (nothing.characters, nothing.saved, nothing.accepted) == (whole, 0, 0)
    assert nothing.requests == len(asking_points(LISTING.text))
    begins = typed_with(context, FakeEngine(["import os.path"]))
    assert begins.saved == 0
    right = typed_with(context, FakeEngine(["import os"]))
    assert (right.saved, right.accepted) == (len("import os") - 1, 1)
    assert right.characters == whole
    assert right.requests < nothing.requests
    assert len(right.milliseconds) == right.requests


def test_what_is_typed_through_is_not_asked_again(context: ContextBuilder) -> None:
    """The suggestion goes on to be shown while it is typed, and was right in part only."""
    engine = FakeEngine(["import os.path"])
    typed = typed_with(context, engine)
    assert typed.requests == len(asking_points(LISTING.text)) - 1
    assert len(engine.calls) == typed.requests


def test_long_programs_are_typed_in_stretches(context: ContextBuilder) -> None:
    long = replace(LISTING, text=LISTING.text * 40)
    with open_editor(loaded(context, FakeEngine()), Settings(), checker=False) as editor:
        done: list[int] = []
        typed = type_programs(editor, [long, LISTING], 40, done.append)
    assert done == [1, 2]
    assert [each.requests for each in typed] == [20, len(asking_points(LISTING.text))]
    assert 0 < typed[0].characters < keystrokes(long.text)


def answers_of(program: Program, *outcomes: str) -> Iterator[PlaceAnswer]:
    for number, outcome in enumerate(outcomes):
        place = Place(program, "body", number, number + 1, below=number % 2 == 0)
        yield PlaceAnswer(place, "x", outcome, "", 0.5, 10.0 * number, False)  # type: ignore[arg-type]


def test_shares_are_by_language_kind_and_side() -> None:
    python, go = (Program(name, "a", "") for name in ("python", "go"))
    rust = Program("rust", "a", "")
    answers = [
        *answers_of(python, "right", "begins", "wrong", "silent"),
        *answers_of(go, "wrong", "wrong"),
        *answers_of(rust, "right", "silent"),
    ]
    typed = [
        TypedProgram(python, 100, 40, 2, 3, (10.0, 20.0, 30.0)),
        TypedProgram(go, 300, 0, 0, 1, (50.0,)),
    ]
    scores = score_programs(answers, typed)
    assert list(scores.languages) == [ALL, "python", "go", "rust", OTHERS]
    found = scores.languages["python"]
    shares = (found.right, found.right_or_begins, found.wrong, found.silent)
    assert [share.mean for share in shares] == [0.25, 0.5, 0.25, 0.25]
    assert scores.languages[OTHERS].wrong.mean == 0.5
    assert list(scores.kinds) == ["body"]
    assert scores.below[BELOW].places == scores.below[NOTHING_BELOW].places == 4
    assert scores.below[BELOW].right.mean == 0.5
    assert scores.typing[ALL].saved.mean == 0.1
    assert scores.typing["python"].saved.mean == 0.4
    assert scores.typing[ALL].median_ms == 25.0
    better = [*answers_of(python, "right", "right", "right", "silent"), *answers[4:]]
    assert useful_difference(better, answers).mean == pytest.approx(1 / 8)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("random") / "bundle").path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("python/a.py", "python/b.py", "go/c.go"):
        path = tmp_path / "programs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LISTING.text if name.endswith("py") else "package c\n\nvar x = 1 + 2\n")
    return tmp_path / "programs"


def run(*arguments: object) -> int:
    return cli.main(["evaluate", *(str(argument) for argument in arguments)])


def test_the_command_measures_programs(
    bundle: Path, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out.json", tmp_path / "report"
    command = (bundle, "--programs", folder, "--places", 2, "--typing-requests", 9)
    assert (
        run(*command, "--no-checker", "--against", bundle, "--json", out, "--report", report) == 0
    )
    printed = capfd.readouterr()
    assert "| random 0 (fp32) | places | right |" in printed.out
    assert "places in programs" in printed.err
    candidate, before = json.loads(out.read_text())
    assert (candidate["kind"], before["kind"]) == ("bundle", "baseline")
    found: dict[str, Any] = candidate["programs"]
    assert found["checker"] is False
    assert found["languages"].keys() == {"all", "python", "go"}
    assert found["languages"]["python"]["places"] == 8
    assert found["difference"]["mean"] == 0
    assert found["typing"]["all"]["programs"] == 3
    rows = [json.loads(line) for line in (report / "places.jsonl").read_text().splitlines()]
    assert len(rows) == 2 * found["languages"]["all"]["places"]
    assert {"place", "kind", "below", "outcome", "missing", "shown"} <= rows[0].keys()
    assert "random 0 (fp32), previous" in (report / "programs.md").read_text()


def test_the_checker_takes_part_unless_it_is_left_out(
    bundle: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    command = (bundle, "--programs", folder, "--languages", "python", "--places", 1)
    assert run(*command, "--typing-requests", 0, "--against", "none", "--json", out) == 0
    (entry,) = json.loads(out.read_text())
    assert entry["programs"]["checker"] is True
    assert entry["programs"]["typing"] == {}
    assert entry["programs"]["languages"]["python"]["places"] == 4


def test_errors_say_what_to_do(
    bundle: Path, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> str:
        assert run(bundle, *arguments) == 1
        return capfd.readouterr().err

    (tmp_path / "empty").mkdir()
    assert "There are no programs in" in fail("--programs", tmp_path / "empty")
    assert "cannot be read" in fail("--programs", tmp_path / "nowhere")
    unknown = fail("--programs", folder, "--languages", "python,cobol")
    assert "There are no programs in the language 'cobol'. Choose among go, python." in unknown
    alone = fail("--languages", "python", "--places", 3)
    assert "--languages, --places can only be used in ordinary programs. Give --programs" in alone
    (folder / "python" / "a.py").write_text("\n")
    (folder / "python" / "b.py").write_text("")
    assert "no place to ask at" in fail("--programs", folder, "--languages", "python")
    assert "There is nothing to measure on." in fail()


def test_what_was_measured_before_an_interruption_is_shown(
    bundle: Path,
    folder: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measure_one, begun = program_results._measure, list[str]()

    def interrupted(contestant: Contestant, *others: Any) -> program_results.MeasuredPrograms:
        begun.append(contestant.label)
        if len(begun) > 1:
            raise KeyboardInterrupt
        return measure_one(contestant, *others)

    monkeypatch.setattr(program_results, "_measure", interrupted)
    out = tmp_path / "out.json"
    options = ("--places", 1, "--typing-requests", 0, "--no-checker", "--json", out)
    assert run(bundle, "--programs", folder, *options, "--against", bundle) == 130
    printed = capfd.readouterr()
    assert "| random 0 (fp32) | places | right |" in printed.out
    assert "interrupted; the table has what was finished" in printed.err
    assert begun == ["random 0 (fp32)", "random 0 (fp32), previous"]
    assert not out.exists()
