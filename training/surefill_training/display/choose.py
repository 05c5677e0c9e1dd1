"""Places to fit on, in packages that neither weights nor n-grams have seen."""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

from surefill.engine.bundle import Bundle
from surefill.syntax.languages import ids_of, language_for
from surefill_training.corpus import build
from surefill_training.corpus.development import development_packages
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.evaluate.places import Place, draw_places
from surefill_training.evaluate.programs import Program

Packages = Literal["development", "train"]

_FEWEST_LINES = 15
_MOST_LINES = 150
"""Of a file: those of ordinary programs, and those that are quickly parsed."""
_PER_FILE = 2
_PYTHON_SHARE = 0.5


def choose_places(
    corpus: Path,
    packages: Packages,
    count: int,
    seed: int,
    languages: Collection[str] = (),
) -> list[tuple[str, Place]]:
    """``count`` places, or as many as there are, each with its package; half of them in Python.

    The other ``languages``, none for all, have equal shares. Of each place it is drawn whether
    something stands below. ``development`` takes the packages that are left out of training;
    ``train`` all others, for models that were not trained on the corpus. Raises CorpusError where
    there are none.
    """
    known = ids_of(languages)
    documents = list(build.load(corpus, "train"))
    left_out = development_packages(documents)
    wanted = [d for d in documents if (d.source in left_out) == (packages == "development")]
    by_language: dict[str, list[tuple[str, Program]]] = {}
    for document in wanted:
        language = language_for(None, document.path)
        lines = document.text.count("\n")
        if language is None or (known and language.id not in known):
            continue
        if _FEWEST_LINES <= lines <= _MOST_LINES:
            program = Program(language.id, document.path, document.text)
            by_language.setdefault(language.id, []).append((document.source, program))
    chosen: list[tuple[str, Place]] = []
    python = by_language.pop("python", [])
    others = sorted(by_language.items())
    share = round(count * _PYTHON_SHARE) if others else count
    if python:
        chosen += _draw(python, share, f"{seed}:python")
    for number, (name, programs) in enumerate(others):
        left = count - len(chosen)
        chosen += _draw(programs, round(left / (len(others) - number)), f"{seed}:{name}")
    if not chosen:
        raise CorpusError(
            f"The corpus has no place to ask at in its {packages} packages.",
            "Build it from more packages.",
        )
    return chosen


def languages_of(bundles: Sequence[Path]) -> tuple[str, ...]:
    """Those that all of ``bundles`` were trained for; none where that is every language.

    In others nothing is shown unasked. Raises TrainingError where they have none in common.
    """
    named = [Bundle.load(bundle, verify=False).manifest.trained_for for bundle in bundles]
    sets = [set(languages) for languages in named if languages]
    if not sets:
        return ()
    if common := set.intersection(*sets):
        return tuple(sorted(common))
    raise TrainingError(
        "The bundles were trained for languages of which none is the same.",
        "Fit a filter for each of them.",
    )


def _draw(
    programs: Sequence[tuple[str, Program]], count: int, seed: str
) -> list[tuple[str, Place]]:
    """Places of a file of each package in turn."""
    rng = random.Random(seed)
    found: list[tuple[str, Place]] = []
    for package, program in _in_turn(programs, rng):
        if len(found) >= count:
            break
        pairs = draw_places([program], zlib.crc32(seed.encode()))
        places = [rng.choice(pairs[at : at + 2]) for at in range(0, len(pairs), 2)]
        # Some of as many as are measured in a program, so that the kinds are as frequent as there.
        chosen = rng.sample(places, min(_PER_FILE, len(places)))
        found += [(package, place) for place in chosen]
    return found[:count]


def _in_turn(
    programs: Iterable[tuple[str, Program]], rng: random.Random
) -> list[tuple[str, Program]]:
    by_package: dict[str, list[tuple[str, Program]]] = {}
    for each in programs:
        by_package.setdefault(each[0], []).append(each)
    turns = list(by_package.values())
    rng.shuffle(turns)
    for turn in turns:
        rng.shuffle(turn)
    longest = max((len(turn) for turn in turns), default=0)
    return [turn[lap] for lap in range(longest) for turn in turns if lap < len(turn)]
