"""Verdicts on a suggestion in its document."""
