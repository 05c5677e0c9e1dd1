"""The store: what is looked up is what was put in, and a damaged file is told."""

import random

import numpy as np
import pytest

from surefill.engine.ngrams.container import pack
from surefill.engine.ngrams.hashing import hashes_of
from surefill.engine.ngrams.layout import CONTEXTS
from surefill.engine.ngrams.store import NgramStore, make_table
from surefill.errors import BundleError

TOKENIZER = "ab" * 32


def packages(count=3, length=3_000, vocabulary=50):
    """Texts in which every third token follows from the two before it."""
    made = []
    for seed in range(count):
        rng = random.Random(seed)
        ids = [0, 1]
        while len(ids) < length:
            a, b = rng.randrange(vocabulary), rng.randrange(5)
            ids += [a, b, (7 * a + b) % vocabulary]
        made.append([ids[: length // 2], ids[length // 2 :]])
    return made


@pytest.fixture(scope="module")
def store(make_store):
    return make_store(packages(), 50, TOKENIZER)


@pytest.fixture
def file(store, tmp_path):
    path = tmp_path / "ngrams.bin"
    path.write_bytes(pack(*store.contents()))
    return path


def test_a_context_gives_what_followed_it_in_the_corpus(store):
    found = store.evidence([13, 2])
    assert int(found[1].tokens[0]) == 43
    assert found[1].shares[0] > 0.5
    assert found[1].total >= 1
    assert all(np.all(np.diff(e.shares) <= 0) for e in found if e is not None)
    assert all(float(e.shares.sum()) < 1 + 1e-6 for e in found if e is not None)


def test_shares_that_are_rounded_up_come_to_no_more_than_one():
    (hash_,) = hashes_of([3], 1)
    table = make_table(
        np.array([hash_], np.uint64),
        counts=np.array([13]),
        totals=np.array([100.0]),
        tokens=np.arange(13),
        shares=np.full(13, 1 / 13),
        vocabulary=50,
    )
    shares = table.find(hash_).shares
    assert shares == pytest.approx(np.full(13, 1 / 13))
    # Again, because what is looked up must not be changed by looking.
    assert np.array_equal(table.find(hash_).shares, shares)


def test_what_was_never_seen_or_is_too_long_gives_nothing(store):
    assert store.evidence([])[0] is None
    assert store.evidence([49, 49, 49, 49, 49])[4] is None
    assert store.evidence([3])[1:] == [None] * (len(CONTEXTS) - 1)


def test_a_file_says_what_was_packed(store, file):
    loaded = NgramStore.load(file, TOKENIZER)
    assert pack(*loaded.contents()) == file.read_bytes()
    assert loaded.made == {"by": "test"}
    for context in ([3, 2], [0, 1, 7], [9, 9]):
        for before, after in zip(store.evidence(context), loaded.evidence(context), strict=True):
            assert (before is None) == (after is None)
            if before is not None:
                assert np.array_equal(before.tokens, after.tokens)


def test_another_tokenizer_is_refused(file):
    with pytest.raises(BundleError, match="another tokenizer"):
        NgramStore.load(file, "cd" * 32)


@pytest.mark.parametrize("size", [0, 10, 100, 4_000, -64])
def test_a_cut_file_is_told(file, size):
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(BundleError, match="damaged"):
        NgramStore.load(file, TOKENIZER)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("2.contexts", lambda a: a[::-1]),
        ("2.entries", lambda a: a + 1),
        ("2.sizes", lambda a: a ^ 1),
        ("2.tokens", lambda a: a + 50),
        ("2.fingerprints", lambda a: a[1:]),
        ("unigrams", lambda a: a[1:]),
        ("unigrams", lambda a: a * np.nan),
        ("model.gate.w1", lambda a: a[1:]),
        ("model.gate.b2", lambda a: a * np.inf),
        ("model.ranker.w1", lambda a: a[1:]),
        ("model.ranker.b1", lambda a: a[None]),
        ("alone.ranker.w2", lambda a: a * np.nan),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_contents_that_cannot_be_right_are_told(store, tmp_path, name, change):
    header, arrays = store.contents()
    path = tmp_path / "ngrams.bin"
    path.write_bytes(pack(header, {**arrays, name: change(arrays[name])}))
    with pytest.raises(BundleError, match="damaged"):
        NgramStore.load(path, TOKENIZER)


def test_a_missing_part_and_a_foreign_file_are_told(store, tmp_path):
    header, arrays = store.contents()
    path = tmp_path / "ngrams.bin"
    path.write_bytes(pack(header, {k: v for k, v in arrays.items() if k != "3.tokens"}))
    with pytest.raises(BundleError, match="a part is missing"):
        NgramStore.load(path, TOKENIZER)
    path.write_bytes(b"something else " * 100)
    with pytest.raises(BundleError, match="begins with something else"):
        NgramStore.load(path, TOKENIZER)
    with pytest.raises(BundleError, match="cannot be read"):
        NgramStore.load(tmp_path / "none", TOKENIZER)


def test_a_later_schema_asks_for_an_update(file):
    data = bytearray(file.read_bytes())
    data[8] = 9
    file.write_bytes(data)
    with pytest.raises(BundleError, match="Update Surefill"):
        NgramStore.load(file, TOKENIZER)


def test_less_room_keeps_fewer_ngrams(make_store):
    sizes = [
        len(pack(*make_store(packages(), 50, TOKENIZER, room).contents()))
        for room in (2_000, 8_000)
    ]
    assert sizes[0] < sizes[1]
