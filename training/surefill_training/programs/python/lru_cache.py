"""Caches with a limited size, and with entries that expire."""

import threading
import time
from collections import OrderedDict
from typing import Callable, Generic, Hashable, Optional, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """Keeps the entries that were used most recently."""

    def __init__(self, capacity: int = 128) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self.hits = 0
        self.misses = 0
        self._data: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, default: Optional[V] = None) -> Optional[V]:
        if key not in self._data:
            self.misses += 1
            return default
        self.hits += 1
        self._data.move_to_end(key)
        return self._data[key]

    def put(self, key: K, value: V) -> None:
        if key in self._data:
            self._data.move_to_end(key)
        self._data[key] = value
        if len(self._data) > self.capacity:
            self._data.popitem(last=False)

    def clear(self) -> None:
        self._data.clear()
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._data)

    def __contains__(self, key: object) -> bool:
        return key in self._data

    @property
    def hit_rate(self) -> float:
        total = self.hits + self.misses
        return self.hits / total if total else 0.0


class TTLCache(Generic[K, V]):
    """Entries disappear after a number of seconds. Safe to use in several threads."""

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.ttl = ttl
        self._clock = clock
        self._data: dict[K, tuple[float, V]] = {}
        self._lock = threading.RLock()

    def __setitem__(self, key: K, value: V) -> None:
        with self._lock:
            self._data[key] = (self._clock() + self.ttl, value)

    def __getitem__(self, key: K) -> V:
        with self._lock:
            expires, value = self._data[key]
            if expires < self._clock():
                del self._data[key]
                raise KeyError(key)
            return value

    def get_or_compute(self, key: K, compute: Callable[[], V]) -> V:
        with self._lock:
            try:
                return self[key]
            except KeyError:
                value = compute()
                self[key] = value
                return value

    def purge(self) -> int:
        """Remove what has expired and return how many entries that were."""
        now = self._clock()
        with self._lock:
            expired = [key for key, (expires, _) in self._data.items() if expires < now]
            for key in expired:
                del self._data[key]
        return len(expired)
