"""The command line from sources to a bundle that the server loads, in small, and its errors."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from small_bundle import SMALL_BUNDLE
from small_corpus import install, install_some, module, script
from surefill.completion.loading import load_model
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.engine.bundle import Bundle
from surefill.engine.interface import Cancellation
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training import cli
from surefill_training.corpus import build
from surefill_training.metrics import MetricsLog

if TYPE_CHECKING:
    from surefill_training.evaluate.contestants import Contestant

Call = Callable[..., str]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command that ends well; what it printed."""

    def run(*arguments: object) -> str:
        status = cli.main([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        assert status == 0, printed.err
        return " ".join((printed.out + printed.err).split())

    return run


@pytest.fixture
def fail(capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command that fails; its message."""

    def run(*arguments: object) -> str:
        status = cli.main([str(argument) for argument in arguments])
        message = capfd.readouterr().err.strip().split("\n")[-1]
        assert status == 1
        assert message.startswith("surefill-train: ")
        assert message.endswith(".")
        assert "Traceback" not in message
        return message

    return run


@dataclass(frozen=True)
class Workplace:
    """The folders of a run from sources to bundle."""

    root: Path

    def __getattr__(self, name: str) -> Path:
        return self.root / name

    def pretrain(self, *more: object, out: str = "run") -> tuple[object, ...]:
        return (
            *(
                "pretrain",
                "--corpus",
                self.corpus,
                "--tokenizer",
                self.tokenizer / "tokenizer.json",
            ),
            *("--preset", "test", "--no-compile", "--device", "cpu", "--out", self.root / out),
            *more,
        )


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A folder in which everything up to a bundle was made by commands."""
    place = Workplace(tmp_path_factory.mktemp("work"))
    install_some(place.site)
    (place.mine).mkdir()
    (place.mine / "own.py").write_text(module(1000))
    (place.root / "names.txt").write_text("# packages\n\nbeta==1.0  # MIT\nAlpha\nalpha\n")
    model, onnx, bundle = place.run / "model", place.onnx, place.bundle
    commands: list[tuple[object, ...]] = [
        (
            *("corpus", "--site", place.site, "--packages-file", place.root / "names.txt"),
            *("--package", "alpha", "--package", "gamma", "--heldout", "gamma"),
            *("--directory", place.mine, "--any-license", "--out", place.corpus),
        ),
        (
            *("tokenizer", "--corpus", place.corpus, "--vocabulary", 512),
            *("--out", place.tokenizer / "tokenizer.json"),
        ),
        place.pretrain("--steps", 12),
        ("export", model, "--precision", "fp32", "--out", onnx),
        (
            *("bundle", model, "--exported", onnx, "--precision", "fp32"),
            *("--name", "tiny", "--out", bundle),
        ),
        (
            *("evaluate", bundle, "--corpus", place.corpus, "--holes", 5, "--chars", 3000),
            *("--tasks", "line_end,member", "--against", "none"),
            *("--json", place.root / "scores.json"),
        ),
        (
            *("bundle", model, "--exported", onnx, "--precision", "fp32", "--release", "2"),
            *("--scores", place.root / "scores.json", "--name", "tiny", "--out", bundle),
        ),
    ]
    for command in commands:
        assert cli.main([str(part) for part in command]) == 0, command
    return place


def test_the_corpus_is_of_all_sources(work: Workplace) -> None:
    packages = {p["name"]: p for p in build.manifest(work.corpus)["packages"]}
    assert packages.keys() == {"alpha", "beta", "gamma", "mine"}
    assert packages["gamma"]["split"] == "heldout"
    assert packages["mine"]["license"] == "own"


def test_the_bundle_serves(work: Workplace) -> None:
    bundle = Bundle.load(work.bundle)
    assert (bundle.manifest.name, bundle.manifest.version) == ("tiny", "2")
    assert bundle.manifest.context_length == 128
    scores = json.loads((work.root / "scores.json").read_text())
    assert bundle.manifest.scores["fp32"]["heldout_bits_per_byte"] == pytest.approx(
        scores[0]["bits_per_byte"], abs=1e-4
    )
    assert {task: values["holes"] for task, values in scores[0]["tasks"].items()} == {
        "line_end": 5,
        "member": 5,
    }
    assert scores[0]["corpus"] == build.manifest(work.corpus)["hash"]
    card = (work.bundle / "MODEL_CARD.md").read_text()
    assert "# tiny 2" in card
    assert "|  | fp32 |" in card
    assert "| name after a dot, exact match |" in card
    assert "of any licence" in card
    settings = Settings(bundle=str(work.bundle))
    model = load_model(settings)
    try:
        document = Document(
            "file:///a.py", language_for("python", "a.py"), "def f(x):\n    return "
        )
        request = CompletionRequest(
            document.snapshot(), Position(1, 11), explicit=True, deadline_ms=60_000
        )
        result = CompletionPipeline(model.context, settings).complete(
            request, model.engine, Cancellation()
        )
        assert result.timings.decode > 0
    finally:
        model.engine.close()


def test_the_graph_scores_as_training_did(work: Workplace) -> None:
    """Longer windows give the graph more context, and training rounds to bfloat16."""
    trained = json.loads((work.run / "metrics.jsonl").read_text().splitlines()[-1])
    served = json.loads((work.root / "scores.json").read_text())[0]
    assert served["bits_per_byte"] == pytest.approx(trained["heldout_bits_per_byte"], rel=0.15)


def test_a_blend_is_measured_whole_and_in_parts(
    work: Workplace, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from surefill_training.evaluate import bundle

    bits_per_byte, scored = bundle.bits_per_byte, list[str]()

    def counting(of: Bundle, *others: Any) -> float:
        scored.append(of.manifest.name)
        return bits_per_byte(of, *others)

    monkeypatch.setattr(bundle, "bits_per_byte", counting)
    ngrams, blend, report = work.root / "ngrams.bin", work.root / "blend", work.root / "report"
    call("ngrams", "--corpus", work.corpus, "--bundle", work.bundle, "--out", ngrams, "--holes", 20)
    call(
        *("bundle", work.run / "model", "--exported", work.onnx, "--precision", "fp32"),
        *("--ngrams", ngrams, "--name", "blend", "--out", blend),
    )
    printed = call(
        *("evaluate", blend, "--corpus", work.corpus, "--holes", 4, "--chars", 1000),
        *("--tasks", "line_end, inside", "--against", work.bundle, "--ablate-blend"),
        *("--json", work.root / "blend.json", "--report", report, "--run", work.run),
    )
    found = json.loads((work.root / "blend.json").read_text())
    assert [(r["label"], r["kind"], r["blend"]) for r in found] == [
        ("blend 1 (fp32)", "bundle", True),
        ("blend 1 (fp32), model alone", "bundle", False),
        ("tiny 2 (fp32), previous", "baseline", False),
        ("n-grams and cache alone", "baseline", False),
    ]
    whole, alone, before, counted = found
    # The n-grams apart, it is the model of the bundle before, whose bits are measured once.
    assert scored == ["blend"]
    assert whole["bits_per_byte"] == alone["bits_per_byte"] == before["bits_per_byte"] > 0
    assert alone["weights"] == before["weights"]
    assert alone["megabytes"] == pytest.approx(before["megabytes"], rel=0.01)
    assert alone["difference"]["line_end"]["mean"] == 0
    assert (
        alone["tasks"]["inside"]["edit_similarity"] == before["tasks"]["inside"]["edit_similarity"]
    )
    assert whole["gains"].keys() == {alone["label"], counted["label"]}
    assert (counted["bits_per_byte"], counted["weights"]) == (None, [])
    assert "| rest of line, exact match |" in printed
    rows = (report / "holes.jsonl").read_text().splitlines()
    assert len(rows) == 4 * 8
    assert (report / "losses.png").stat().st_size > 1000


def test_what_was_measured_before_an_interruption_is_shown(
    work: Workplace, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from surefill_training.evaluate import bundle

    measure_one, begun = bundle._measure, list[str]()

    def interrupted(contestant: Contestant, *others: Any) -> bundle.Measured:
        begun.append(contestant.label)
        if len(begun) > 1:
            raise KeyboardInterrupt
        return measure_one(contestant, *others)

    monkeypatch.setattr(bundle, "_measure", interrupted)
    command = ("evaluate", work.bundle, "--corpus", work.corpus, "--holes", "3", "--chars", "500")
    out = work.root / "interrupted.json"
    options = ("--tasks", "member", "--against", work.bundle, "--json", out)
    assert cli.main([str(part) for part in (*command, *options)]) == 130
    printed = capfd.readouterr()
    assert "| measure | tiny 2 (fp32) |" in printed.out
    assert "interrupted; the table has what was finished" in printed.err
    assert begun == ["tiny 2 (fp32)", "tiny 2 (fp32), previous"]
    assert not out.exists()


def test_what_is_done_is_not_done_again(work: Workplace, call: Call) -> None:
    before = {p: p.stat().st_mtime_ns for p in work.onnx.rglob("model.onnx")}
    tokenizer = work.tokenizer / "tokenizer.json"
    arguments = ("tokenizer", "--corpus", work.corpus, "--vocabulary", 512, "--out", tokenizer)
    assert "is up to date" in call(*arguments)
    assert "was already finished after 12 steps" in call(*work.pretrain("--steps", 12))
    model = work.run / "model"
    assert "fp32: up to date" in call("export", model, "--precision", "fp32", "--out", work.onnx)
    assert {p: p.stat().st_mtime_ns for p in work.onnx.rglob("model.onnx")} == before


def test_a_damaged_note_of_what_was_done_is_no_obstacle(work: Workplace, call: Call) -> None:
    tokenizer = work.tokenizer / "tokenizer.json"
    before = tokenizer.read_bytes()
    (work.tokenizer / "tokenizer.made.json").write_text("{")
    arguments = ("tokenizer", "--corpus", work.corpus, "--vocabulary", 512, "--out", tokenizer)
    assert "bytes per token" in call(*arguments)
    assert tokenizer.read_bytes() == before


def test_stopping_and_interrupting(
    work: Workplace,
    call: Call,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = work.pretrain("--steps", 12, out="parts")
    assert "stopped; the same command continues" in call(*arguments, "--stop-after", "0.0000001")
    write = MetricsLog.write

    def interrupted(log: MetricsLog, metrics: object) -> None:
        write(log, metrics)  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(MetricsLog, "write", interrupted)
    assert cli.main([str(argument) for argument in arguments]) == 130
    assert "interrupted; the same command continues." in capfd.readouterr().err
    assert [p.name for p in sorted((work.parts / "checkpoints").iterdir())] == [
        "step-0000001.pt",
        "step-0000011.pt",
    ]
    monkeypatch.undo()
    assert "finished" in call(*arguments)
    first, second = (work.root / name / "model" / "model.safetensors" for name in ("run", "parts"))
    assert first.read_bytes() == second.read_bytes()


def test_errors_of_corpus(tmp_path: Path, blocked: Path, fail: Call) -> None:
    site, out = tmp_path / "site", tmp_path / "corpus"
    install_some(site)
    install(site, "copyleft", {"c.py": module(500)}, metadata="License: GPLv3+")
    install(site, "small", {"s.py": "x = 1\n"})
    command = ("corpus", "--site", site, "--out", out)
    assert "No sources were given" in fail(*command)
    assert "'nobody' is not installed" in fail(*command, "--package", "nobody")
    assert "copyleft (GPLv3+)" in fail(*command, "--package", "copyleft")
    assert "not among the sources: other" in fail(
        *command, "--package", "alpha", "--heldout", "other"
    )
    assert "Not a single usable file" in fail(*command, "--package", "small")
    assert "cannot be read (No such file" in fail(*command, "--packages-file", tmp_path / "no.txt")
    (tmp_path / "latin.txt").write_bytes("Grüße".encode("latin-1"))
    assert "it is not UTF-8" in fail(*command, "--packages-file", tmp_path / "latin.txt")
    assert "is not a directory" in fail(*command, "--directory", tmp_path / "nowhere")
    assert "is no package" in fail(*command, "--package", "./alpha", "--fetch", tmp_path / "f")
    assert not (tmp_path / "f").exists()
    assert "npm:alpha has not been fetched" in fail(*command, "--package", "npm:alpha")
    shares = ("--language-share", "python=0.7", "--language-share", "sql=0.4")
    assert "more than the whole" in fail(*command, "--package", "alpha", *shares)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(module(1))
    assert "src (unknown)" in fail(*command, "--directory", tmp_path / "src")
    shutil.copytree(tmp_path / "src", tmp_path / "other" / "src")
    two = ("--directory", tmp_path / "src", "--directory", tmp_path / "other" / "src")
    assert "Several sources have one name: src" in fail(*command, *two, "--any-license")
    assert "could not be written" in fail(
        "corpus", "--site", site, "--package", "alpha", "--out", blocked
    )


def test_a_corpus_of_lists_with_shares_of_languages(tmp_path: Path, call: Call) -> None:
    site, lists = tmp_path / "site", tmp_path / "lists"
    install_some(site)
    install(site, "delta", {f"d{i}.ts": script(i) for i in range(9)})
    lists.mkdir()
    (lists / "sources.txt").write_text("alpha==1.0  # MIT\npypi:delta==1.0  # MIT\n")
    (lists / "held.txt").write_text("beta==1.0  # MIT, first release 2025-09\n")
    (lists / "programs").mkdir()
    (lists / "programs/a.py").write_text((site / "alpha/m0.py").read_text()[:900])
    printed = call(
        *("corpus", "--site", site, "--sources", lists / "sources.txt", "--out", tmp_path / "out"),
        *("--heldout-sources", lists / "held.txt", "--decontaminate", lists / "programs"),
        *("--decontaminate-tokens", 30, "--max-chars", 10_000),
        *("--language-share", "python=0.6", "--language-share", "typescript=0.2"),
    )
    assert "dropped, in text to measure on: 1" in printed
    manifest = build.manifest(tmp_path / "out")
    packages = {package["name"]: package for package in manifest["packages"]}
    assert (packages["beta"]["split"], packages["beta"]["first_release"]) == ("heldout", "2025-09")
    assert manifest["languages"]["train"]["typescript"] <= 2000
    assert manifest["options"]["decontaminate_tokens"] == 30
    assert "alpha/m0.py" not in {d.path for d in build.load(tmp_path / "out", "train")}


def test_a_directory_named_twice_is_one(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.py").write_text(module(1))
    twice = ("--directory", folder, "--directory", folder / ".." / "src")
    assert "train: 1 documents" in call(
        "corpus", *twice, "--any-license", "--out", tmp_path / "corpus"
    )


def test_errors_of_the_other_commands(work: Workplace, tmp_path: Path, fail: Call) -> None:
    tokenizer = ("tokenizer", "--corpus", work.corpus, "--out", tmp_path / "t.json")
    model, file = work.run / "model", tmp_path / "file.json"
    file.write_text("{}")
    assert "is not a corpus" in fail("tokenizer", "--corpus", tmp_path, "--out", file)
    assert "no prompt template 'none'" in fail(*tokenizer, "--template", "none")
    assert "too small" in fail(*tokenizer, "--vocabulary", 100)
    assert "no preset 'huge'" in fail(*work.pretrain("--preset", "huge"))
    assert "other options (steps)" in fail(*work.pretrain("--steps", 13))
    assert "other options (seed)" in fail(*work.pretrain("--steps", 12, "--seed", 1))
    assert "holds no model" in fail("export", tmp_path, "--out", tmp_path / "onnx")
    bundle = ("bundle", model, "--exported", work.onnx, "--name", "x", "--out", tmp_path / "b")
    assert "holds no exported model" in fail(*bundle, "--precision", "int4")
    assert "holds no results" in fail(*bundle, "--precision", "fp32", "--scores", file)
    assert "There is nothing to measure on. Give --corpus DIR" in fail("evaluate", work.bundle)
    problems = ("evaluate", work.bundle, "--problems", file)
    assert "--holes can only be used on held-out packages" in fail(*problems, "--holes", 3)
    assert "There is no report of problems" in fail(*problems, "--report", tmp_path / "report")
    assert "--run can only be used" in fail(*problems, "--run", work.run)
    evaluate = ("evaluate", "--corpus", work.corpus)
    assert "There is no bundle at" in fail(*evaluate, tmp_path / "nowhere")
    assert "There is no bundle at" in fail(*evaluate, work.bundle, "--against", tmp_path / "no")
    assert "There is no task 'words'" in fail(*evaluate, work.bundle, "--tasks", "member,words")
    assert "Name at least one task" in fail(*evaluate, work.bundle, "--tasks", ",")
    assert "None of the bundles has n-grams" in fail(*evaluate, work.bundle, "--ablate-blend")
    assert "metrics.jsonl cannot be read" in fail(*evaluate, work.bundle, "--run", tmp_path)
    build.build(
        [build.Source("own", "1", "MIT", work.mine, tuple(_files(work.mine)))],
        tmp_path / "all-train",
        build.CorpusOptions(),
    )
    assert "holds nothing out" in fail("evaluate", work.bundle, "--corpus", tmp_path / "all-train")


def test_bundles_that_cannot_be_measured(work: Workplace, tmp_path: Path, fail: Call) -> None:
    manifest = json.loads((work.bundle / "bundle.json").read_text())
    evaluate = ("evaluate", tmp_path / "b", "--corpus", work.corpus)
    for made, problem in (
        (
            {"sources": [{"name": "Gamma", "split": "train"}]},
            "tiny was trained on what this corpus holds out: gamma.",
        ),
        ({"tokenizer": "0" * 64}, "tiny has another tokenizer than the one its model was trained"),
    ):
        copy = shutil.copytree(work.bundle, tmp_path / "b", dirs_exist_ok=True)
        changed = {**manifest, "made": {**manifest["made"], **made}}
        (copy / "bundle.json").write_text(json.dumps(changed))
        assert problem in fail(*evaluate)


def test_the_bundle_that_ships_is_left_out_where_it_cannot_be_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from surefill_training.evaluate import contestants
    from surefill_training.evaluate.contestants import previous

    settings = Settings()
    monkeypatch.setattr(contestants, "find_bundle", {"default": SMALL_BUNDLE}.__getitem__)
    assert previous("none", [], {"gamma"}, settings) == (None, "")
    shipped, note = previous("default", [], {"gamma"}, settings)
    assert shipped is not None
    assert (shipped.kind, shipped.note, note) == ("baseline", "previous", "")
    assert previous("default", [shipped], {"gamma"}, settings) == (
        None,
        "The bundle that ships is left out: it is among those measured.",
    )
    sources = Bundle.load(Path(shipped.settings.bundle)).manifest.made["sources"]
    trained = next(source["name"] for source in sources if source["split"] == "train")
    assert previous("default", [], {"gamma", trained}, settings) == (
        None,
        f"The bundle that ships is left out: it was trained on {trained}, held out here.",
    )


def _files(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in folder.glob("*.py")]


def test_an_export_of_another_model_is_not_bundled(
    work: Workplace, tmp_path: Path, fail: Call
) -> None:
    model = shutil.copytree(work.run / "model", tmp_path / "model")
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    assert "was exported from another model" in fail(
        *("bundle", model, "--exported", work.onnx, "--precision", "fp32"),
        *("--name", "x", "--out", tmp_path / "b"),
    )


def test_what_a_library_cannot_write_is_one_sentence_too(
    work: Workplace, fail: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from surefill_training.commands import export

    def full(_arguments: object) -> int:
        raise OSError(28, "No space left on device", "/somewhere/model.onnx")

    monkeypatch.setattr(export, "run", full)
    message = fail("export", work.run / "model", "--out", work.onnx)
    assert message.startswith("surefill-train: /somewhere/model.onnx: No space left on device.")


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    return " ".join(capsys.readouterr().out.split())


def test_help_names_the_defaults_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    for command in cli._COMMANDS:
        printed = help_of(command, capsys)
        for nothing in ("None", "False", "[", "(", ")"):
            assert f"(default: {nothing}" not in printed, command
    assert "--k K,K which pass@k, as in 1,10 (default: 1)" in help_of("evaluate", capsys)
    assert "(default: 0.003)" in help_of("pretrain", capsys)


def test_help_of_fine_tuning_speaks_of_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    printed = help_of("finetune", capsys)
    assert "--preset" in printed
    assert "without any of them the preset's minutes do, or 30" in printed
    assert "--dropout SHARE" in printed
    assert "harmful where about once; without it 0" in printed


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["corpus"],
        ["corpus", "--out", "c", "--language-share", "cobol=0.1"],
        ["corpus", "--out", "c", "--language-share", "python=2"],
        ["corpus", "--out", "c", "--language-share", "python"],
        ["pretrain", "--corpus", "a", "--tokenizer", "b", "--out", "c", "--steps", "many"],
        ["pretrain", "--corpus", "a", "--tokenizer", "b", "--out", "c", "--minutes", "-1"],
        ["evaluate", "b", "--corpus", "c", "--holes", "0"],
        ["evaluate", "b", "--corpus", "c", "--min-confidence", "1.5"],
    ],
)
def test_misuse_is_told_on_standard_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    printed = capsys.readouterr()
    assert "usage: surefill-train" in printed.err
    assert "_positive" not in printed.err
    assert printed.out == ""
