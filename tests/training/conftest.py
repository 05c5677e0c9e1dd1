"""A corpus and a tokenizer that the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from small_corpus import make_corpus
from surefill.context.prompt import TEMPLATES
from surefill_training.corpus import build
from surefill_training.tokenizer import save_tokenizer, train_tokenizer


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small are slower with several threads, above all on a machine that is busy."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def tokenizer_file(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``tokenizer.json`` with as many tokens as the preset ``test`` has room for."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    texts = [document.text for document in build.load(corpus, "train")]
    save_tokenizer(train_tokenizer(texts, TEMPLATES["qwen2.5-coder"], 512), path)
    return path


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A path at which no folder can be made, because a file is in the way."""
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file" / "folder"
