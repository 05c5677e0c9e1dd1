"""Cuts the vocabulary of a pretrained model down to what code needs."""
