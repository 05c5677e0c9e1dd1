"""Fitting the display filter: places, what came there, the fit, and the bundle with it."""

from __future__ import annotations

import json
import math
import random
import shutil
import zlib
from dataclasses import asdict
from pathlib import Path

import pytest

from small_corpus import install_some
from surefill.completion.loading import load_model
from surefill.engine.bundle import Bundle
from surefill.engine.display import FEATURES, parse_display
from surefill.settings import Settings
from surefill_training.cli import main
from surefill_training.corpus import build, sources
from surefill_training.display import collect as collecting
from surefill_training.display.choose import choose_places, languages_of
from surefill_training.display.collect import PlacePoints, Point, collect
from surefill_training.display.fit import fit
from surefill_training.display.report import write_report
from surefill_training.display.seen import require_unseen
from surefill_training.display.shares import MOST_WRONG, lowest_bar, reliability, shares
from surefill_training.errors import CorpusError, TrainingError
from tiny_models import make_bundle


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of three packages, of which one is left out of training."""
    folder = tmp_path_factory.mktemp("packages")
    names = install_some(folder / "site")
    found = [sources.from_package(name, [folder / "site"]) for name in names]
    build.build(found, folder / "corpus", build.CorpusOptions())
    return folder / "corpus"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "tiny").path


def made_up(count: int, seed: int = 0, names: list[str] | None = None) -> list[PlacePoints]:
    """Places where a text is right as often as a sure model says, half as often in Go.

    Its first line is likelier than all of it.
    """
    rng = random.Random(seed)
    places = []
    for number in range(count):
        language = rng.choice(["python", "go"])
        luck, points = rng.random(), []
        for characters, least in ((3, 0.3), (30, 0.05), (10, 0.3)):
            sure = rng.uniform(least, 1.0)
            right = luck < sure * (1.0 if language == "python" else 0.5)
            features = dict.fromkeys(FEATURES, 0.0) | {
                "total": 4 * (sure - 1),
                "blank_line": float(rng.random() < 0.5),
                "end": rng.random(),
            }
            outcome = "right" if right else "wrong"
            points.append(Point(characters == 3, characters, outcome, features))
        name = names[number] if names else f"p{number}"
        places.append(PlacePoints(name, f"package{number % 9}", language, "body", True, (*points,)))
    return places


def test_places_are_of_the_packages_that_were_asked_for(packages: Path) -> None:
    unseen = choose_places(packages, "development", 8, 0)
    others = choose_places(packages, "train", 20, 0)
    assert len(unseen) == 8
    assert len({package for package, _ in unseen}) == 1
    assert len({package for package, _ in others}) == 2
    assert not {package for package, _ in unseen} & {package for package, _ in others}
    assert {place.below for _, place in others} == {True, False}
    assert choose_places(packages, "train", 20, 0, ["py", "python"]) == others
    with pytest.raises(CorpusError, match="no place to ask at"):
        choose_places(packages, "train", 20, 0, ["go"])
    assert [place.id for _, place in others] == [
        place.id for _, place in choose_places(packages, "train", 20, 0)
    ]


def test_a_corpus_without_places(tmp_path: Path) -> None:
    names = install_some(tmp_path / "site", modules=1)
    found = [sources.from_package(name, [tmp_path / "site"]) for name in names[:2]]
    build.build(found, tmp_path / "corpus", build.CorpusOptions())
    with pytest.raises(CorpusError, match="no place to ask at in its development packages"):
        choose_places(tmp_path / "corpus", "development", 8, 0)


def test_what_was_collected_is_not_asked_again(
    packages: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, file, done = choose_places(packages, "train", 4, 0), tmp_path / "answers", list[int]()
    first = collect(bundle, places[:3], file, done.append, checker=False)
    assert [each.id.rsplit(":", 1)[0] for each in first] == [place.id for _, place in places[:3]]
    assert [each.package for each in first] == [package for package, _ in places[:3]]
    assert done == [1, 2, 3]
    for point in (point for each in first for point in each.points):
        assert set(point.features) == set(FEATURES)
        assert point.outcome in ("right", "begins", "wrong")
    text = file.read_text()
    file.write_text(text + '{"id": "broken o')
    asked = list[str]()
    ask = collecting._ask

    def noted(settings, missing, **options):  # type: ignore[no-untyped-def]
        asked.extend(place.id for _, place in missing)
        return ask(settings, missing, **options)

    monkeypatch.setattr(collecting, "_ask", noted)
    assert collect(bundle, places, file, done.append, checker=False)[:3] == first
    assert asked == [places[3][1].id]
    assert file.read_text().startswith(text)
    # Another model's answers are others.
    file.write_text(text.replace("features", "something", 1))
    collect(bundle, places[:1], file, done.append, checker=False)
    assert asked[1:] == [places[0][1].id]


def test_a_fit_finds_what_was_put_in() -> None:
    places = made_up(400)
    fitted = fit(places)
    assert fitted.log_loss < fitted.base_loss
    weights = fitted.weights
    assert weights.weights["total"] > 0.5
    assert abs(weights.weights.get("blank_line", 0.0)) < 0.5
    assert "mean" not in weights.weights  # always the same
    assert weights.languages["python"] > weights.languages["go"]
    assert weights.weights.get("end", 0.0) <= 0.0
    for each in reliability(places, fitted.chances):
        if each.count >= 50:
            assert each.right == pytest.approx(each.chance, abs=0.15)
    assert fit(places) == fitted


def test_without_reason_a_filter_says_what_the_model_says() -> None:
    rng, places = random.Random(1), []
    for number in range(200):
        total = -rng.expovariate(1.5) - 1e-3
        right = rng.random() < math.exp(total)
        features = dict.fromkeys(FEATURES, 0.0) | {
            "total": total,
            "surety": -math.log1p(-math.exp(total)),
            "after_dot": float(rng.random() < 0.5),
            "end": rng.random() * 1e-5,
        }
        point = Point(False, 9, "right" if right else "wrong", features)
        places.append(PlacePoints(f"p{number}", f"q{number % 7}", "go", "body", True, (point,)))
    weights = fit(places).weights
    assert "end" not in weights.weights  # it hardly varies, so nothing is known of it
    for total in (-0.1, -1.0, -3.0):
        at = dict.fromkeys(FEATURES, 0.0) | {
            "total": total,
            "surety": -math.log1p(-math.exp(total)),
        }
        assert weights.chance(at, "go") == pytest.approx(math.exp(total), abs=0.1)


def test_too_little_to_fit_on() -> None:
    with pytest.raises(TrainingError, match="too few to fit"):
        fit(made_up(10))
    silent = [PlacePoints(f"p{n}", f"q{n}", "go", "body", True, ()) for n in range(50)]
    with pytest.raises(TrainingError, match=r"^0 places"):
        fit(silent)


def test_a_higher_bar_shows_less_and_less_that_is_wrong() -> None:
    places = made_up(300)
    chances = fit(places).chances
    everything = shares(places, chances, 0.0)
    assert everything.of["silent"] == 0.0
    assert sum(everything.of.values()) == pytest.approx(1.0)
    wrong = [shares(places, chances, bar / 10).of["wrong"] for bar in range(11)]
    assert wrong == sorted(wrong, reverse=True)
    bar = lowest_bar(places, chances)
    assert bar is not None
    assert shares(places, chances, bar).of["wrong"] <= MOST_WRONG
    assert shares(places, chances, bar - 0.01).of["wrong"] > MOST_WRONG


def test_what_is_shown_is_the_longest_that_is_sure_enough() -> None:
    place = made_up(1)[0]
    right = [Point(False, p.characters, "right", p.features) for p in place.points[1:]]
    begun = Point(True, 3, "begins", place.points[0].features)
    again = Point(False, 50, "right", place.points[0].features)  # of another candidate
    places = [PlacePoints("p", "q", "go", "body", True, (begun, *right, begun, again))]

    def shown(longer: float, shorter: float, bar: float) -> float:
        return shares(places, [[0.9, longer, shorter, 1.0, 1.0]], bar).characters

    assert shown(0.5, 0.8, 0.2) == 30
    assert shown(0.3, 0.8, 0.2) == 10
    assert shown(0.5, 0.8, 0.6) == 10
    assert shown(0.1, 0.1, 0.6) == 10  # it begins right, and something has to be shown
    assert shown(1.0, 1.0, 0.95) == 0
    assert shown(0.0, 0.0, 0.0) == 30


def test_the_command_from_answers_to_a_bundle(
    packages: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a model of random weights says is never right, so its answers are there already."""
    report = tmp_path / "report"
    places = choose_places(packages, "train", 40, 0)
    names = [f"{place.id}:{'below' if place.below else 'end'}" for _, place in places]
    assert len(names) >= 20
    rows = [collecting._key(bundle, checker=False), *map(asdict, made_up(len(names), 3, names))]
    report.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (report / f"places-{bundle.name}.jsonl").write_text(lines)
    arguments = [str(bundle), "--corpus", str(packages), "--packages", "train", "--no-checker"]
    out = ["--places", "40", "--report", str(report), "--out", str(tmp_path / "filtered")]
    assert main(["display", *arguments, *out]) == 0
    assert "completion.minConfidence" in capsys.readouterr().err
    numbers = parse_display(json.loads((report / "display.json").read_text()))
    written = Bundle.load(tmp_path / "filtered")
    assert written.manifest.display == numbers
    assert written.manifest.files == Bundle.load(bundle).manifest.files
    page = (report / "display.md").read_text()
    assert "![How often what has a chance is right](reliability.png)" in page
    assert all(f"| {name} |" in page for name in FEATURES)
    assert (report / "reliability.png").stat().st_size > 1000
    model = load_model(Settings(bundle=str(written.path)))
    model.engine.close()
    # Once more, into the bundle itself.
    again = [*arguments, "--places", "40", "--report", str(report), "--out", str(written.path)]
    assert main(["display", *again]) == 0
    assert Bundle.load(written.path).manifest == written.manifest


def test_a_filter_for_several_goes_into_none(
    packages: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(bundle), str(bundle), "--corpus", str(packages), "--report", str(tmp_path)]
    assert main(["display", *arguments, "--out", str(tmp_path / "out")]) == 1
    assert "Leave --out out." in capsys.readouterr().err


def test_languages_are_those_of_all_bundles(bundle: Path, tmp_path: Path) -> None:
    def speaking(name: str, languages: list[str]) -> Path:
        shutil.copytree(bundle, tmp_path / name)
        raw = json.loads((bundle / "bundle.json").read_text())
        (tmp_path / name / "bundle.json").write_text(json.dumps(raw | {"languages": languages}))
        return tmp_path / name

    everything, two = speaking("all", ["*"]), speaking("two", ["python", "go"])
    one, other = speaking("one", ["go", "c"]), speaking("other", ["java"])
    assert languages_of([everything]) == ()
    assert languages_of([everything, two]) == ("go", "python")
    assert languages_of([one, two]) == ("go",)
    with pytest.raises(TrainingError, match="none is the same"):
        languages_of([one, other])


def test_what_a_model_was_trained_on_is_refused(
    packages: Path, bundle: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    shutil.copytree(bundle, seen)
    raw = json.loads((seen / "bundle.json").read_text())
    raw["made"] = {"corpus": "another", "sources": [{"name": "Alpha", "split": "train"}]}
    alpha = "alpha" in {package for package, _ in choose_places(packages, "development", 2, 0)}
    (seen / "bundle.json").write_text(json.dumps(raw))
    with pytest.raises(TrainingError, match="may have been trained on alpha"):
        require_unseen(seen, packages, "development" if alpha else "train")
    require_unseen(seen, packages, "train" if alpha else "development")
    raw["made"]["corpus"] = build.manifest(packages)["hash"]
    (seen / "bundle.json").write_text(json.dumps(raw))
    require_unseen(seen, packages, "development")


def test_a_report_of_what_no_bar_makes_good(tmp_path: Path) -> None:
    places = [
        PlacePoints(
            each.id,
            each.package,
            each.language,
            each.kind,
            each.below,
            tuple(
                Point(False, 5, "right" if zlib.crc32(each.id.encode()) % 20 == 0 else "wrong", {})
                for _ in each.points
            ),
        )
        for each in made_up(100)
    ]
    certain = fit(made_up(100))
    assert lowest_bar(places, [[1.0] * len(place.points) for place in places]) is None
    write_report(tmp_path, ["one"], made_up(100), certain)
    assert "by language" in (tmp_path / "display.md").read_text()
