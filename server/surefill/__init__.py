"""Surefill: a local language server that completes code and shows only what it has checked."""

__version__ = "0.1.0"
"""Of all that is released; `nox -s generate` copies it to the other distributions."""
