"""The bundle's tokenizer: ordinary text to ids and back, one line at a time where that is safe.

User text is never read as special tokens. Knows nothing of prompts.
"""

from __future__ import annotations

import itertools
import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefill.errors import BundleError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RawTokenizer

REPLACEMENT = "\ufffd"


class BundleTokenizer:
    """Implements ``interface.Tokenizer`` on a ``tokenizer.json``.

    ``special_tokens`` are those that the prompt names. Qwen2.5-Coder, for one, lists its infilling
    tokens as added but not special, so every added token that is not whitespace counts as special.
    """

    def __init__(
        self, path: Path, special_tokens: Iterable[str] = (), *, cached_lines: int = 20_000
    ) -> None:
        raw = _read(path)
        contents = _mark_special(raw)
        self._raw = _build(raw, path)
        # Asked back from the library, which may number added tokens anew.
        self._special: dict[str, int] = {text: self._raw.token_to_id(text) for text in contents}
        self._special_ids = frozenset(self._special.values())
        self._cached_lines = cached_lines
        self._lines: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self.vocab_size = 1 + max(self._raw.get_vocab(with_added_tokens=True).values(), default=-1)
        for token in special_tokens:
            self.special(token)

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids that must neither be generated nor shown."""
        return self._special_ids

    def special(self, token: str) -> int:
        """Id of a special token; raises BundleError when the bundle does not have it."""
        try:
            return self._special[token]
        except KeyError:
            raise BundleError(
                f"The bundle's tokenizer has no special token {token}.",
                "The tokenizer does not belong to this bundle's prompt template.",
            ) from None

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` as ordinary text: special tokens in it are not read as special."""
        return self._ordinary(
            text, self._raw.encode(_encodable(text), add_special_tokens=False).ids
        )

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """``encode`` of each text, on all cores."""
        encoded = self._raw.encode_batch_fast(
            [_encodable(text) for text in texts], add_special_tokens=False
        )
        return [self._ordinary(text, one.ids) for text, one in zip(texts, encoded, strict=True)]

    def encode_line(self, line: str) -> tuple[int, ...]:
        """``encode`` of one line with its line end, remembered for the lines used last."""
        ids = self._lines.get(line)
        if ids is not None:
            self._lines.move_to_end(line)
            return ids
        ids = tuple(self.encode(line))
        if len(line) <= 2_000:
            self._lines[line] = ids
            if len(self._lines) > self._cached_lines:
                self._lines.popitem(last=False)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ``ids`` without special tokens; incomplete UTF-8 becomes U+FFFD."""
        text: str = self._raw.decode(list(ids), skip_special_tokens=True)
        return text

    def _ordinary(self, text: str, ids: list[int]) -> list[int]:
        # A model whose vocabulary holds the special token as a word could still produce it.
        return ids if self._special_ids.isdisjoint(ids) else self._encode_apart(text)

    def _encode_apart(self, text: str) -> list[int]:
        """Encode character by character around special tokens, so that none can form."""
        ids: list[int] = []
        for part in _split_inside(text, sorted(self._special, key=len, reverse=True)):
            part_ids: list[int] = self._raw.encode(_encodable(part), add_special_tokens=False).ids
            ids.extend(id_ for id_ in part_ids if id_ not in self._special_ids)
        return ids


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{path} is not a tokenizer: it is not valid JSON.",
            "Copy or download the bundle again.",
        ) from error
    if not isinstance(raw, dict):
        raise BundleError(f"{path} is not a tokenizer: it must be a JSON object.")
    return raw


def _mark_special(raw: dict[str, Any]) -> list[str]:
    """Flag the added tokens of ``raw`` as special, in place; returns their texts."""
    special: list[str] = []
    added = raw.get("added_tokens") or []
    if not isinstance(added, list) or not all(
        isinstance(token, dict) and isinstance(token.get("content"), str) for token in added
    ):
        raise BundleError(
            "The bundle's tokenizer.json lists added tokens that are none.",
            "Copy or download the bundle again.",
        )
    for token in added:
        # Runs of whitespace are added tokens in some tokenizers, and are ordinary text.
        token["special"] = bool(token.get("special")) or bool(token["content"].strip())
        if token["special"]:
            special.append(token["content"])
    return special


def _build(raw: dict[str, Any], path: Path) -> RawTokenizer:
    from tokenizers import Tokenizer  # native library, loaded with the model

    try:
        tokenizer = Tokenizer.from_str(json.dumps(raw))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # tokenizers raises plain Exception, and panics with its own
        raise BundleError(f"{path} is not a tokenizer that can be read: {error}.") from error
    tokenizer.encode_special_tokens = True
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _encodable(text: str) -> str:
    """``text`` with lone surrogates, which have no UTF-8, replaced by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _split_inside(text: str, tokens: Sequence[str]) -> list[str]:
    """Cut ``text`` after the first character of every occurrence of one of ``tokens``."""
    cuts = {0, len(text)}
    for token in tokens:
        at = text.find(token)
        while at >= 0:
            cuts.add(at + 1)
            at = text.find(token, at + 1)
    ordered = sorted(cuts)
    return [text[a:b] for a, b in itertools.pairwise(ordered)]
