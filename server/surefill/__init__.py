"""Surefill: a local language server that completes code and shows only what it has checked."""

__version__ = "0.1.0"
