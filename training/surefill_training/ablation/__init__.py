"""Ablations: arms that differ in a few options, trained at equal compute and compared."""
