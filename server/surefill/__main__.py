"""``python -m surefill`` is the command ``surefill``."""

import sys

from surefill.cli import main

sys.exit(main())
