"""The sparse experts of the mixture and their order: each source at each length of context."""

from __future__ import annotations

CONTEXTS = (1, 2, 3, 4, 5)
"""Lengths of the contexts that the store knows, in tokens."""
DOCUMENT_ORDERS = (1, 2, 3, 4, 6, 8)
PROJECT_ORDERS = (1, 2, 3, 4, 6, 8)
LONGEST_CONTEXT = 32
"""Tokens that are looked at in all, to tell how long the nearest match is."""

NEAREST = len(CONTEXTS) + len(DOCUMENT_ORDERS)
"""The expert that knows what stood behind the nearest long match in the document."""
SPARSE_EXPERTS = NEAREST + 1 + len(PROJECT_ORDERS)
GROUPS = (
    slice(0, len(CONTEXTS)),
    slice(len(CONTEXTS), NEAREST),
    slice(NEAREST + 1, SPARSE_EXPERTS),
)
"""The experts of one source each, by length of context: store, document, project."""
