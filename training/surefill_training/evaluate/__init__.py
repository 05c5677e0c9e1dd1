"""Held-out measurements of models and bundles."""
