"""Trains, evaluates and exports the models that Surefill serves."""

__version__ = "0.1.0"
