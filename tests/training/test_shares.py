"""Languages in the wanted parts, evenly from the packages that have them."""

from __future__ import annotations

from collections import Counter

from surefill_training.corpus.documents import Document
from surefill_training.corpus.shares import mix


def documents(source: str, suffix: str, count: int, chars: int = 100) -> list[Document]:
    return [Document(source, f"m{i}{suffix}", "x" * chars) for i in range(count)]


def sizes(found: list[Document]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for document in found:
        counted[document.language] += len(document.text)
    return counted


def test_each_language_has_its_part_at_most() -> None:
    whole = documents("a", ".py", 90) + documents("a", ".go", 90) + documents("b", ".sql", 2)
    kept, rest = mix(whole, {"python": 0.5, "go": 0.25, "sql": 0.25}, 4000, 0)
    assert sizes(kept) == {"python": 2000, "go": 1000, "sql": 200}
    assert len(kept) + len(rest) == len(whole)
    assert {id(document) for document in kept}.isdisjoint(id(document) for document in rest)


def test_a_language_without_a_share_is_left_out() -> None:
    whole = documents("a", ".py", 5) + documents("a", ".css", 5)
    kept, rest = mix(whole, {"python": 1.0}, 10_000, 0)
    assert sizes(kept) == {"python": 500}
    assert sizes(rest) == {"css": 500}


def test_packages_get_equal_parts_as_far_as_they_have_them() -> None:
    whole = documents("large", ".py", 500) + documents("middle", ".py", 50)
    whole += documents("small", ".py", 3) + documents("coarse", ".py", 20, 400)
    kept, _ = mix(whole, {"python": 1.0}, 6300, 0)
    by_package: Counter[str] = Counter()
    for document in kept:
        by_package[document.source] += len(document.text)
    assert by_package == {"small": 300, "large": 2000, "middle": 2000, "coarse": 2000}


def test_a_document_that_does_not_fit_is_passed_over() -> None:
    whole = documents("a", ".py", 1, 5000) + documents("b", ".py", 3)
    kept, _ = mix(whole, {"python": 1.0}, 1000, 0)
    assert sizes(kept) == {"python": 300}


def test_the_same_documents_are_taken_whatever_the_order_and_another_seed_takes_others() -> None:
    whole = documents("a", ".py", 100) + documents("b", ".py", 100)
    shares = {"python": 1.0}
    first, again, other = (
        {(d.source, d.path) for d in mix(order, shares, 3000, seed)[0]}
        for order, seed in ((whole, 0), (whole[::-1], 0), (whole, 1))
    )
    assert first == again
    assert first != other
