"""The gate between a new bundle and the default: what it has to prove, and its installation."""
