"""What was looked up last, within a bound of characters and not of entries.

Texts are known by a digest where they themselves need not be kept.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_ENTRY_CHARACTERS = 200
"""What an entry counts for besides its text: about as much as it takes."""


class Remembered(Generic[Key, Value]):
    """Values by their keys, the least recently used dropped first. Safe in any thread."""

    def __init__(self, most_characters: int) -> None:
        self._most = most_characters
        self._entries: OrderedDict[Key, tuple[int, Value]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """What was put under ``key`` last; None where it was dropped, or nothing was put."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: Key, value: Value, characters: int) -> None:
        """Remember ``value``, which takes about as much memory as ``characters`` do."""
        size = _ENTRY_CHARACTERS + characters
        with self._lock:
            replaced, _ = self._entries.pop(key, (0, None))
            self._entries[key] = size, value
            self._characters += size - replaced
            while self._characters > self._most:
                _, (dropped, _) = self._entries.popitem(last=False)
                self._characters -= dropped


def digest(text: str) -> bytes:
    """What stands for ``text`` in a key: 16 bytes, not the same for any two texts in practice."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
