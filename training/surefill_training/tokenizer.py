"""Trains the byte-level BPE tokenizer of our own models.

No token crosses a line's end: a newline is a token of its own, so the server can tokenise and
cache line by line and get exactly what tokenising the whole text gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from surefill.context.prompt import PromptTemplate
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.files import write_atomically

_PIECES = "|".join(
    (
        r"\n",
        r"[^\s\p{L}\p{N}_]?[\p{L}_]+",  # a word or identifier part, with the sign before it
        r" [\p{L}_]+",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}_]+",
        r"[^\S\n]+(?=\n)",
        r"[^\S\n]+(?!\S)",  # indentation, less the one space that goes with the word behind it
        r"[^\S\n]",
    )
)


def train_tokenizer(
    texts: Iterable[str], template: PromptTemplate, vocabulary: int, *, length: int | None = None
) -> Tokenizer:
    """A tokenizer of at most ``vocabulary`` tokens, the template's special tokens first.

    ``length`` is the number of texts, for the progress bar. Raises TrainingError when the
    vocabulary has no room for more than bytes, and CorpusError when there is nothing to learn.
    """
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    fixed = len(alphabet) + len(template.special_tokens())
    if vocabulary <= fixed:
        raise TrainingError(
            f"A vocabulary of {vocabulary} tokens is too small: bytes and special tokens alone are "
            f"{fixed}.",
            "Choose a few thousand.",
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(template.special_tokens()),
        initial_alphabet=alphabet,
        min_frequency=2,
        show_progress=length is not None,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer, length=length)
    if tokenizer.get_vocab_size() <= fixed:
        raise CorpusError(
            "The tokenizer learned nothing: the corpus is empty or too small.",
            "Add sources to the corpus and build it again.",
        )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write ``tokenizer.json``."""
    write_atomically(path, tokenizer.to_str(pretty=False).encode("utf-8"))
