"""Trains the byte-level BPE tokenizer of our own models.

No token crosses a line's end: a newline is a token of its own, so the server can tokenise and
cache line by line and get exactly what tokenising the whole text gives. Inside a line, tokens may
cross single spaces, so that a frequent idiom is one token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from surefill.context.prompt import PromptTemplate
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.files import write_atomically

_SPACES = (
    r"[^\S\n]+(?=\n)",
    r"[^\S\n]+(?!\S)",  # indentation, less the one space that goes with the word behind it
)
_WORDS = "|".join(
    (
        r"\n",
        r"[^\s\p{L}\p{N}_]?[\p{L}_]+",  # a word or identifier part, with the sign before it
        r" [\p{L}_]+",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}_]+",
        *_SPACES,
        r"[^\S\n]",
    )
)
_PHRASES = "|".join(
    (
        r"\n",
        r"\p{N}{1,3}",
        *_SPACES,
        r" ?[^\s\p{N}]+(?: [^\s\p{N}]+)*",  # words and signs, single spaces between
        r"[^\S\n]",
    )
)
PHRASE_SHARE = 0.15
"""Part of the vocabulary that is left for tokens of several words."""
_LONGEST = 24
"""Characters of a token of several words: an idiom, not a sentence."""
_FIRST_SYMBOL = 0x10000
"""Tokens of words stand for themselves as characters from here on, while phrases are learned."""


def train_tokenizer(
    texts: Sequence[str],
    template: PromptTemplate,
    vocabulary: int,
    *,
    phrase_share: float = PHRASE_SHARE,
    progress: bool = False,
) -> Tokenizer:
    """A tokenizer of at most ``vocabulary`` tokens, the template's special tokens first.

    Words are learned first, then phrases of them, as in SuperBPE (Liu et al., 2025,
    https://arxiv.org/abs/2503.13423): learned at once, most tokens of several words would be
    halves of them. Raises TrainingError when the vocabulary has no room for more than bytes, and
    CorpusError when there is nothing to learn.
    """
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    fixed = len(alphabet) + len(template.special_tokens())
    if vocabulary <= fixed:
        raise TrainingError(
            f"A vocabulary of {vocabulary} tokens is too small: bytes and special tokens alone are "
            f"{fixed}.",
            "Choose a few thousand.",
        )
    phrases = int((vocabulary - fixed) * phrase_share)
    words = _tokenizer(models.BPE(), _WORDS)
    words.train_from_iterator(
        texts,
        trainer=trainers.BpeTrainer(
            vocab_size=vocabulary - phrases,
            special_tokens=list(template.special_tokens()),
            initial_alphabet=alphabet,
            min_frequency=2,
            show_progress=progress,
        ),
        length=len(texts),
    )
    if words.get_vocab_size() <= fixed:
        raise CorpusError(
            "The tokenizer learned nothing: the corpus is empty or too small.",
            "Add sources to the corpus and build it again.",
        )
    model = json.loads(words.to_str())["model"]
    vocab: dict[str, int] = model["vocab"]
    merges = [(left, right) for left, right in model["merges"]]
    if phrases:
        merges += _phrase_merges(texts, vocab, merges, phrases, progress)
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    tokenizer = _tokenizer(models.BPE(vocab=vocab, merges=merges), _PHRASES)
    tokenizer.add_special_tokens(list(template.special_tokens()))
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write ``tokenizer.json``."""
    write_atomically(path, tokenizer.to_str(pretty=False).encode("utf-8"))


def _tokenizer(model: models.BPE, pieces: str) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pieces), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _phrase_merges(
    texts: Sequence[str],
    vocab: dict[str, int],
    merges: list[tuple[str, str]],
    count: int,
    progress: bool,
) -> list[tuple[str, str]]:
    """Up to ``count`` merges of neighbouring tokens inside phrases, most frequent first."""
    words = _tokenizer(models.BPE(vocab=vocab, merges=merges), _PHRASES)
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Split("\n", behavior="removed")
    learner.train_from_iterator(
        _as_symbols(texts, words),
        trainer=trainers.BpeTrainer(
            vocab_size=len(vocab) + 2 * count,  # some will be too long
            initial_alphabet=[chr(_FIRST_SYMBOL + number) for number in vocab.values()],
            min_frequency=2,
            show_progress=progress,
        ),
        length=len(texts),
    )
    names = {number: token for token, number in vocab.items()}
    found: list[tuple[str, str]] = []
    known = set(vocab)
    for pair in json.loads(learner.to_str())["model"]["merges"]:
        if len(found) == count:
            break
        left, right = ("".join(names[ord(c) - _FIRST_SYMBOL] for c in part) for part in pair)
        # A merge whose parts were left out could never be made.
        if left in known and right in known and len(left + right) <= _LONGEST:
            found.append((left, right))
            known.add(left + right)
    return found


def _as_symbols(texts: Iterable[str], words: Tokenizer) -> Iterator[str]:
    """Each text with one character for each token, one line for each phrase."""
    for text in texts:
        encoded = words.encode(text, add_special_tokens=False)
        symbols: list[str] = []
        phrase = None
        for number, piece in zip(encoded.ids, encoded.word_ids, strict=True):
            if piece != phrase:
                symbols.append("\n")
            symbols.append(chr(_FIRST_SYMBOL + number))
            phrase = piece
        yield "".join(symbols)
