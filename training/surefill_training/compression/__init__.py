"""Smaller and faster forms of a model: fewer bits, fewer layers, and what each of them costs."""
