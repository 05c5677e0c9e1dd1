"""What the served pipeline would show at places in packages, and how right it is at every cut.

Everything is as it is served but the filter, which notes each text that passed the checks, finds
none of them sure enough, and so sees all others, too. Only numbers are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from surefill.completion.display_filter import DisplayFilter, beginning
from surefill.completion.loading import load_model
from surefill.completion.postprocess import Surroundings
from surefill.engine.bundle import Bundle
from surefill.engine.display import FEATURES, DisplayWeights
from surefill.engine.interface import Candidate
from surefill.settings import Settings
from surefill_training.evaluate.places import Outcome, Place, outcome
from surefill_training.evaluate.program_editor import open_editor
from surefill_training.files import make_folder, not_written

_NO_WEIGHTS = DisplayWeights(0.0, {})


@dataclass(frozen=True)
class Point:
    """A text that could be shown at a place."""

    beginning: bool
    """It is only what has to be right for a suggestion to begin right, and is never shown."""
    characters: int
    outcome: Outcome
    features: Mapping[str, float]
    """As in ``engine.display.FEATURES``."""

    @property
    def right(self) -> bool:
        return self.outcome == "right" or (self.beginning and self.outcome == "begins")


@dataclass(frozen=True)
class PlacePoints:
    """All that could be shown at one place, in the order in which it is tried."""

    id: str
    package: str
    language: str
    kind: str
    below: bool
    points: tuple[Point, ...]


@dataclass
class _Notes:
    """What the filter was asked about at one place."""

    points: list[tuple[bool, str, dict[str, float]]] = field(default_factory=list)


class _NotingFilter(DisplayFilter):
    """Notes every text that has passed the checks, and finds none of them likely enough.

    So all others are checked, too, and in the end the shortest is shown: nothing is tried again
    that a filter would have had tried only once.
    """

    def __init__(self, notes: _Notes, around: Surroundings) -> None:
        super().__init__(_NO_WEIGHTS, around)
        self._notes = notes
        self._known = set[tuple[Candidate, str]]()

    def chance(self, candidate: Candidate, text: str, *, types_passed: bool) -> float:
        """None."""
        begun = beginning(candidate, text)
        for whole, version in ((False, begun), (True, text)):
            key = candidate, version if whole else ""
            if key not in self._known:
                self._known.add(key)
                values = self.features(candidate, version, types_passed=types_passed)
                self._notes.points.append((not whole, version, values))
        return 0.0

    def begins(self, candidate: Candidate, text: str, *, types_passed: bool) -> float:
        """As if it began right."""
        return 1.0

    def at_best(self, candidate: Candidate, text: str) -> float:
        """As if the checks alone decided."""
        return 1.0


def collect(
    bundle: Path,
    places: Sequence[tuple[str, Place]],
    file: Path,
    on_done: Callable[[int], None],
    *,
    checker: bool,
) -> list[PlacePoints]:
    """What came at each place, which is given with its package.

    Every answer goes to ``file`` at once; those that are there from an earlier run with the same
    bundle are not asked for again. Raises BundleError, EngineError or TrainingError.
    """
    key = _key(bundle, checker=checker)
    known = _read(file, key)
    missing = [(package, place) for package, place in places if _id(place) not in known]
    if missing:
        _begin(file, key, known)
        settings = replace(Settings(), bundle=str(bundle.resolve()))
        for found in _ask(settings, missing, checker=checker):
            known[found.id] = found
            _append(file, asdict(found))
            on_done(sum(_id(place) in known for _, place in places))
    return [known[_id(place)] for _, place in places]


def _ask(
    settings: Settings, places: Sequence[tuple[str, Place]], *, checker: bool
) -> Iterator[PlacePoints]:
    """Ask at one place after the other; the bar of ``settings`` must be above 0."""
    notes = _Notes()
    model = load_model(settings)
    try:
        noting = replace(model, display=partial(_NotingFilter, notes))
        with open_editor(noting, settings, checker=checker) as editor:
            for package, place in places:
                notes.points.clear()
                editor.ask(place.program, place.document, place.position)
                # What was suggested at one place must not answer another in the same line.
                editor.forget()
                yield PlacePoints(
                    id=_id(place),
                    package=package,
                    language=place.program.language_id,
                    kind=place.kind,
                    below=place.below,
                    points=tuple(_point(place, *each) for each in notes.points),
                )
    finally:
        if model.memory is not None:
            model.memory.close()
        model.engine.close()


def _point(place: Place, begun: bool, text: str, features: dict[str, float]) -> Point:
    characters = sum(not sign.isspace() for sign in text)
    values = {name: round(features[name], 5) for name in FEATURES}
    return Point(begun, characters, outcome(place, text), values)


def _id(place: Place) -> str:
    return f"{place.id}:{'below' if place.below else 'end'}"


class _Key(TypedDict):
    files: dict[str, str]
    features: list[str]
    checker: bool


def _key(bundle: Path, *, checker: bool) -> _Key:
    """All that what is collected depends on, besides the places."""
    files = Bundle.load(bundle, verify=False).manifest.files
    return {"files": dict(sorted(files.items())), "features": list(FEATURES), "checker": checker}


def _read(file: Path, key: _Key) -> dict[str, PlacePoints]:
    """What an earlier run left; nothing where it was of something else or cannot be read."""
    try:
        first, *lines = file.read_text(encoding="utf-8").splitlines()
        if json.loads(first) != key:
            return {}
    except (OSError, ValueError):
        return {}
    found: dict[str, PlacePoints] = {}
    for line in lines:
        try:
            raw: dict[str, Any] = json.loads(line)
        except ValueError:  # it was broken off while this was written
            break
        points = tuple(Point(**each) for each in raw.pop("points"))
        place = PlacePoints(**raw, points=points)
        found[place.id] = place
    return found


def _begin(file: Path, key: _Key, known: Mapping[str, PlacePoints]) -> None:
    make_folder(file.parent)
    lines = [key, *(asdict(each) for each in known.values())]
    try:
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise not_written(file, error) from error


def _append(file: Path, row: Mapping[str, Any]) -> None:
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
    except OSError as error:
        raise not_written(file, error) from error
