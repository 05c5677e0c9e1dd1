"""The configurations in the documentation: what is tested is what is written there."""

import re
from pathlib import Path

DOCUMENTATION = Path(__file__).parents[2] / "docs/editors"


def configuration(page: str, language: str) -> str:
    """The first block of code in ``language`` on a page of ``docs/editors``."""
    text = (DOCUMENTATION / page).read_text()
    block = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block, f"{page} has no block in {language}"
    return block[1]
