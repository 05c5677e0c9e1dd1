"""Optional values and results without exceptions, for typed code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NoReturn, Protocol, TypeVar, overload

T = TypeVar("T")
U = TypeVar("U")
E = TypeVar("E", bound=Exception)


class UnwrapError(Exception):
    """Raised when the value of an error is asked for."""


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    value: T

    def is_ok(self) -> bool:
        return True

    def map(self, func: Callable[[T], U]) -> Ok[U]:
        return Ok(func(self.value))

    def unwrap(self) -> T:
        return self.value

    def unwrap_or(self, default: object) -> T:
        return self.value


@dataclass(frozen=True, slots=True)
class Err(Generic[E]):
    error: E

    def is_ok(self) -> bool:
        return False

    def map(self, func: Callable[..., object]) -> Err[E]:
        return self

    def unwrap(self) -> NoReturn:
        raise UnwrapError(str(self.error)) from self.error

    def unwrap_or(self, default: U) -> U:
        return default


Result = Ok[T] | Err[E]


class Comparable(Protocol):
    def __lt__(self, other: object, /) -> bool: ...


def attempt(func: Callable[[], T], *errors: type[E]) -> Result[T, E]:
    """Call ``func`` and wrap what it returns, or what it raises."""
    try:
        return Ok(func())
    except errors as error:
        return Err(error)


def collect(results: Iterable[Result[T, E]]) -> Result[list[T], E]:
    """All values, or the first error."""
    values: list[T] = []
    for result in results:
        if isinstance(result, Err):
            return result
        values.append(result.value)
    return Ok(values)


@overload
def first(items: Iterable[T]) -> T | None: ...
@overload
def first(items: Iterable[T], default: U) -> T | U: ...
def first(items: Iterable[T], default: U | None = None) -> T | U | None:
    return next(iter(items), default)


def partition(items: Iterable[T], test: Callable[[T], bool]) -> tuple[list[T], list[T]]:
    passed: list[T] = []
    failed: list[T] = []
    for item in items:
        (passed if test(item) else failed).append(item)
    return passed, failed


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    if size < 1:
        raise ValueError("size must be at least 1")
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
