"""Small models with random weights, exported once for all tests of the engine."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surefill.context.prompt import TEMPLATES, layout
from surefill.engine.bundle import Bundle
from surefill.engine.decode import DecodingOptions, LocalEngine, open_engine
from surefill.engine.interface import Prompt
from surefill.engine.session import ModelSession
from surefill.engine.tokenizer import BundleTokenizer
from tiny_models import bundle_checkpoint, make_checkpoint, sources

CONTEXT = 640


MADE_BY_TRAINING = {"checkpoints", "make_store"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Small models and stores are made by the training package: the quick suite does without."""
    for item in items:
        if MADE_BY_TRAINING.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.training)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Architecture name to a checkpoint directory."""
    made: dict[str, Path] = {}

    def get(architecture: Any) -> Path:
        if architecture not in made:
            folder = tmp_path_factory.mktemp(f"checkpoint-{architecture}")
            # A base other than the default shows whether it reaches the graph.
            made[architecture] = make_checkpoint(
                folder, architecture, hidden=128, context=CONTEXT, rope_theta=50_000.0
            )
        return made[architecture]

    return get


@pytest.fixture(scope="session")
def bundles(
    tmp_path_factory: pytest.TempPathFactory, checkpoints: Callable[[str], Path]
) -> Callable[..., Bundle]:
    """Architecture and precision to a bundle; all of one architecture have the same weights."""
    made: dict[tuple[str, str], Bundle] = {}

    def get(architecture: str = "llama", precision: Any = "fp32") -> Bundle:
        key = architecture, precision
        if key not in made:
            folder = tmp_path_factory.mktemp("bundles") / f"{architecture}-{precision}"
            made[key] = bundle_checkpoint(checkpoints(architecture), folder, precision)
        return made[key]

    return get


@pytest.fixture(scope="session")
def engine_of(bundles: Callable[..., Bundle]) -> Callable[..., LocalEngine]:
    """An engine of its own for every call."""

    def get(
        architecture: str = "llama",
        precision: str = "fp32",
        *,
        chunk: int = 128,
        options: DecodingOptions | None = None,
    ) -> LocalEngine:
        bundle = bundles(architecture, precision)
        prompt = bundle.manifest.prompt
        tokenizer = BundleTokenizer(bundle.tokenizer_path, prompt.special_tokens)
        session = ModelSession(bundle, "cpu", chunk=chunk)
        return LocalEngine(session, tokenizer, prompt.ends, options or DecodingOptions())

    return get


@pytest.fixture
def engine(bundles: Callable[..., Bundle]) -> LocalEngine:
    return open_engine(bundles(), "cpu")


@pytest.fixture(scope="session")
def tokenizer(bundles: Callable[..., Bundle]) -> BundleTokenizer:
    return BundleTokenizer(bundles().tokenizer_path)


@pytest.fixture(scope="session")
def prompts(tokenizer: BundleTokenizer) -> Callable[..., Prompt]:
    """Prompts of an exact length, cut from real code, in suffix-first order."""
    text = "\n".join(itertools.islice(sources(), 8))
    ids = tokenizer.encode(text)
    template = TEMPLATES["qwen2.5-coder"]

    def get(length: int, seed: int = 0) -> Prompt:
        start = random.Random(seed).randrange(len(ids) - length)
        cut = ids[start : start + length - 3]
        suffix, prefix = cut[: length // 4], cut[length // 4 :]
        whole = layout(template, "spm", tokenizer.special, prefix, suffix)
        assert len(whole) == length
        return Prompt(tuple(whole), tokenizer.decode(prefix), tokenizer.decode(suffix))

    return get
