"""One request from start to end: when to speak, cache, decode, repair, check."""
