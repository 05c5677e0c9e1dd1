"""Fits the display filter: which suggestions are worth showing, and how much of them."""
