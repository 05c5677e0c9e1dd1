"""The configurations in the documentation: what is tested is what is written there."""

import re
from pathlib import Path

DOCUMENTATION = Path(__file__).parents[2] / "docs/editors"


def configuration(page: str, language: str, bundle: str) -> str:
    """The first block of code in ``language`` on a page of ``docs/editors``, as tests need it.

    The menu waits as long as it takes, and the settings begin with ``bundle``, a setting in the
    page's own language for a small model.
    """
    text = (DOCUMENTATION / page).read_text()
    block = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block, f"{page} has no block in {language}"
    begin = re.compile(":?snippets")
    assert len(begin.findall(block[1])) == 1, page
    return begin.sub(lambda found: bundle + found[0], block[1]).replace("400", "60000")
