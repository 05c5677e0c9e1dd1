"""From a corpus and a bundle to a file of n-grams, and from there to a bundle that blends."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from small_corpus import make_corpus
from surefill.completion.loading import load_model
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.engine.bundle import MANIFEST, NGRAMS, TOKENIZER, Bundle
from surefill.engine.decode import LocalEngine
from surefill.engine.interface import Cancellation
from surefill.engine.ngrams.engine import NgramEngine
from surefill.engine.ngrams.store import NgramStore
from surefill.errors import BundleError
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position
from surefill_training.bundle import BundleInfo, write_bundle
from surefill_training.cli import main
from surefill_training.corpus import build, sources
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.ngrams.build import NgramOptions, make_ngrams
from surefill_training.ngrams.unseen import says_unseen
from tiny_models import make_bundle

OPTIONS = NgramOptions(max_bytes=200_000, holes=10)


def silent(what, done, total):
    pass


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "plain")


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """A corpus of which three packages are trained on; two are there to be counted."""
    folder = tmp_path_factory.mktemp("packages")
    make_corpus(folder)
    found = [sources.from_package(name, [folder / "site"]) for name in ("alpha", "beta", "gamma")]
    build.build(found, folder / "all", build.CorpusOptions())
    return folder / "all"


@pytest.fixture(scope="module")
def file(packages, plain, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ngrams") / "ngrams.bin"
    arguments = ["--bundle", str(plain.path), "--max-mb", "0.2", "--holes", "10"]
    assert main(["ngrams", "--corpus", str(packages), *arguments, "--out", str(path)]) == 0
    return path


def bundle_with(plain, ngrams, folder, tokenizer=None) -> Bundle:
    manifest = plain.manifest
    info = BundleInfo("blended", "1", ("python",), "MIT", 1, manifest.context_length)
    return write_bundle(
        folder,
        info,
        model=plain.model_path,
        layout=manifest.kv.layout,
        precision=manifest.precision,
        tokenizer=tokenizer or plain.tokenizer_path,
        model_card="# Random\n",
        ngrams=ngrams,
    )


def recorded(plain, folder, **made):
    """The plain bundle with another record of its model."""
    shutil.copytree(plain.path, folder)
    manifest = replace(plain.manifest, made=made)
    (folder / MANIFEST).write_text(manifest.to_json())
    return folder


def test_the_same_corpus_gives_the_same_file_within_its_size(packages, plain, file, caplog):
    assert make_ngrams(packages, plain.path, OPTIONS, silent) == file.read_bytes()
    assert file.stat().st_size <= OPTIONS.max_bytes
    # The model says nothing of what it has seen.
    (message,) = [r.getMessage() for r in caplog.records if r.name.startswith("surefill_training")]
    assert "does not say that its model was trained without the packages" in message
    assert "\n" not in message


def test_a_file_that_was_counted_gets_new_weights_only(packages, plain, file, tmp_path, caplog):
    again = make_ngrams(packages, plain.path, OPTIONS, silent, file)
    assert again == file.read_bytes()
    tokenizer = plain.manifest.files[TOKENIZER]
    old = NgramStore.load(file, tokenizer)
    known = recorded(plain, tmp_path / "known", development=old.made["development"])
    caplog.clear()
    fewer = make_ngrams(packages, known, replace(OPTIONS, holes=5), silent, file)
    assert "was trained without" not in caplog.text
    path = tmp_path / "ngrams.bin"
    path.write_bytes(fewer)
    new = NgramStore.load(path, tokenizer)
    assert np.array_equal(old.tables[2].tokens, new.tables[2].tokens)
    assert not np.array_equal(old.weights["model"].gate.w1, new.weights["model"].gate.w1)
    assert new.made["holes"] == 5
    other = tmp_path / "other"
    found = sources.from_package("alpha", [packages.parent / "site"])
    build.build([found], other, build.CorpusOptions())
    with pytest.raises(TrainingError, match="another corpus"):
        make_ngrams(other, plain.path, OPTIONS, silent, file)


def test_a_record_tells_whether_a_model_may_have_seen_packages():
    sources = [{"name": name, "split": "train"} for name in "abc"]
    sources += [{"name": "h", "split": "heldout"}]
    old, new = {"sources": sources}, {"development": ["b"], "sources": sources}
    assert says_unseen(new, ["b"])
    assert not says_unseen(old, ["b"])
    assert not says_unseen({}, ["b"])
    assert not says_unseen(new, ["a", "b"])
    assert says_unseen({**new, "source_history": new}, ["b"])
    assert says_unseen({**new, "source_history": {}}, ["b"])
    assert not says_unseen({**new, "source_history": old}, ["b"])
    assert not says_unseen({**new, "source_history": {**new, "source_history": old}}, ["b"])


def test_a_bundle_takes_the_file_along_and_the_server_blends(plain, file, tmp_path):
    bundle = bundle_with(plain, file, tmp_path / "blended")
    assert NGRAMS in bundle.manifest.files
    model = load_model(Settings(bundle=str(bundle.path)))
    assert isinstance(model.engine, LocalEngine)
    assert model.engine.blend is not None
    model.memory.update("file:///other.py", "def compute_everything(values):\n    return 1\n")
    model.memory.flush()
    assert model.engine.blend.cache.tokens > 0
    text = "value = 1\n" * 5 + "val\n"
    document = Document("file:///a.py", language_for("python", "a.py"), text)
    request = CompletionRequest(
        document.snapshot(), Position(5, 3), explicit=True, n=2, deadline_ms=60_000
    )
    pipeline = CompletionPipeline(model.context, Settings(bundle=str(bundle.path)))
    result = pipeline.complete(request, model.engine, Cancellation())
    assert result.timings.decode > 0
    model.memory.close()
    model.engine.close()
    off, problems = Settings.parse({"bundle": str(bundle.path), "completion": {"blend": False}})
    assert problems == []
    model = load_model(off)
    assert (model.memory, model.engine.blend) == (None, None)
    model.engine.close()
    assert NgramEngine.open(bundle).blend.store.made["bundle"] == "random 0"


def test_a_file_of_another_tokenizer_is_refused(plain, file, tmp_path):
    other = tmp_path / "tokenizer.json"
    other.write_text(plain.tokenizer_path.read_text() + "\n")
    with pytest.raises(BundleError, match="another tokenizer"):
        bundle_with(plain, file, tmp_path / "mixed", other)
    assert not (tmp_path / "mixed").exists()


def test_a_bundle_without_ngrams_has_no_such_engine(plain):
    with pytest.raises(BundleError, match="no n-grams"):
        NgramEngine.open(plain)


def test_what_cannot_be_counted_is_told(packages, plain, tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        make_ngrams(tmp_path, plain.path, OPTIONS, silent)
    with pytest.raises(TrainingError, match="--max-mb"):
        make_ngrams(packages, plain.path, NgramOptions(max_bytes=1_000), silent)
    small = make_corpus(tmp_path / "small")
    with pytest.raises(CorpusError, match="fewer than three packages"):
        make_ngrams(small, plain.path, OPTIONS, silent)
