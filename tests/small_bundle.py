"""The real bundle that tests use when they need one, whichever the default is: small and fast."""

from pathlib import Path

from surefill.settings import Settings

SMALL_BUNDLE = Path(__file__).parent / "bundles" / "nano"
SMALL = Settings(bundle=str(SMALL_BUNDLE))
"""Settings of a server that serves it, all others at their defaults."""
