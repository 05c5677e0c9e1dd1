"""``python -m surefill_training``: the command ``surefill-train`` where it is not installed."""

import sys

from surefill_training.cli import main

if __name__ == "__main__":
    sys.exit(main())
