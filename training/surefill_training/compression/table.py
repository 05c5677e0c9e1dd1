"""Which variant to ship, by a stated rule, and the table that shows it; measures nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from surefill_training.compression.measure import Measures
from surefill_training.evaluate.report import share, table
from surefill_training.evaluate.statistics import Estimate, bootstrap, paired_difference

MOST_BITS = 1.02
"""Bits per byte of a variant that may ship, as a multiple of those in fp32."""
RULE = (
    "Shipped is the variant with the smallest median time of a request among those whose exact "
    "match is not proven to be below that of the whole model in fp32 (95 % paired bootstrap over "
    "packages and over the same holes in each) and whose bits per byte are within "
    f"{MOST_BITS - 1:.0%} of it."
)


@dataclass(frozen=True)
class Row:
    """A variant beside the whole model in fp32."""

    measures: Measures
    exact_match: Estimate
    difference: Estimate
    """Exact match less that of the whole model in fp32."""
    bits_ratio: float

    @property
    def may_ship(self) -> bool:
        """Whether it is as good as the whole model, as far as can be told."""
        return self.difference.high >= 0 and self.bits_ratio <= MOST_BITS


def rows(measures: Sequence[Measures]) -> list[Row]:
    """All variants beside the first, which is the whole model in fp32."""
    full = measures[0]
    return [
        Row(
            one,
            bootstrap(one.exact, one.packages),
            paired_difference(one.exact, full.exact, one.packages),
            one.bits_per_byte / full.bits_per_byte,
        )
        for one in measures
    ]


def choose(found: Sequence[Row]) -> Row:
    """The variant to ship; the first always may, so there is one."""
    return min((row for row in found if row.may_ship), key=lambda row: row.measures.median_ms)


def markdown(found: Sequence[Row]) -> str:
    """One row for each variant, the chosen one marked, and the rule below."""
    header = [
        *("variant", "bits per byte", "exact match", "less fp32's, points", "median ms"),
        *("prefill ms", "ms per token", "MB", "may ship"),
    ]
    chosen = choose(found)
    cells = [
        [
            row.measures.name + (" (shipped)" if row is chosen else ""),
            f"{row.measures.bits_per_byte:.3f}",
            share(row.exact_match),
            f"{100 * row.difference.mean:+.1f} ({100 * row.difference.low:+.1f} to "
            f"{100 * row.difference.high:+.1f})",
            f"{row.measures.median_ms:.1f}",
            f"{row.measures.prefill_ms:.1f}",
            f"{row.measures.decode_ms:.2f}",
            f"{row.measures.megabytes:.1f}",
            "yes" if row.may_ship else "no",
        ]
        for row in found
    ]
    return f"{table(header, cells)}\n\n{RULE}\n"


def to_json(found: Sequence[Row]) -> str:
    """All figures but those of single holes, the rule, and the chosen variant's name."""
    variants = []
    for row in found:
        figures = asdict(row.measures)
        del figures["exact"], figures["packages"]
        extra = {
            "exact_match": asdict(row.exact_match),
            "difference": asdict(row.difference),
            "bits_ratio": row.bits_ratio,
            "may_ship": row.may_ship,
        }
        variants.append(figures | extra)
    chosen = choose(found).measures.name
    return json.dumps({"rule": RULE, "shipped": chosen, "variants": variants}, indent=1)
