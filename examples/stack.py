"""A stack, with the argument of one call left to write."""

import logging

logger = logging.getLogger()


class Stack:
    """Last in, first out."""

    def __init__(self) -> None:
        self._items: list[int] = []

    def push(self, item: int) -> None:
        """Put an item on top."""
        self._items.append()

    def pop(self) -> int:
        """Take the item on top."""
        return self._items.pop()
