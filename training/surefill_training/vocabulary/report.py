"""What a cut did, as tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from surefill_training.vocabulary.counting import Cut
from surefill_training.vocabulary.texts import WEIGHTS


def cuts_table(cuts: Sequence[Cut]) -> str:
    """One row for each language, in Markdown."""
    lines = [
        "| held-out text | kB | bytes per token before | after | more tokens | tokens that split |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {cut.language} | {cut.size / 1000:.0f} | {cut.before:.2f} | {cut.after:.2f} | "
        f"{cut.before / cut.after - 1:.1%} | {cut.split:.1%} |"
        for cut in cuts
    ]
    return "\n".join(lines)


def uncounted(counted: Collection[str]) -> list[str]:
    """The languages with a weight that a corpus has no text of."""
    return [language for language in WEIGHTS if language not in counted]
