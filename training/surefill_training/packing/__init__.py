"""Corpora, models and other files in small checked parts, for ways that take no large files."""
