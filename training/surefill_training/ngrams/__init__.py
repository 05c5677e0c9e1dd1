"""Builds ``ngrams.bin``: counts a corpus, keeps what is worth its bytes, fits the mixture."""
