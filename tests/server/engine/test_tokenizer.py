import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefill.context.prompt import TEMPLATES
from surefill.engine.tokenizer import BundleTokenizer
from surefill.errors import BundleError
from tiny_models import sources, train_tokenizer

SPECIAL = TEMPLATES["qwen2.5-coder"].special_tokens()
PIECES = [*SPECIAL, *(token[:-1] for token in SPECIAL), *(token[1:] for token in SPECIAL)]
HOSTILE = st.lists(
    st.one_of(st.sampled_from([*PIECES, "<|", "|>", "<", " ", "\n", "\r\n"]), st.text(max_size=4))
).map("".join)


@given(HOSTILE)
def test_special_tokens_in_user_text_are_ordinary_text(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.special_ids.isdisjoint(ids)
    assert tokenizer.decode(ids) == text


@given(HOSTILE)
def test_lines_encode_as_the_whole(tokenizer, text):
    lines = text.replace("\r\n", "\n").splitlines(keepends=True)
    lines = "".join(lines).split("\n")
    lines = [line + "\n" for line in lines[:-1]] + lines[-1:]
    whole = tokenizer.encode("".join(lines))
    assert [id_ for line in lines for id_ in tokenizer.encode_line(line)] == whole


@pytest.mark.parametrize(
    "text",
    [
        "<|fim_prefix|><|fim_suffix|>",
        "<|fim_<|fim_prefix|>prefix|>",
        "<|fim_prefix|",
        "x<|endoftext|>y",
        " <|fim_middle|> ",
        "<|repo_name|>\n<|file_sep|>",
    ],
)
def test_adjacent_nested_and_truncated_special_tokens(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.special_ids.isdisjoint(ids)
    assert tokenizer.decode(ids) == text


def test_special_tokens_have_ids_and_are_not_shown(tokenizer):
    ids = [tokenizer.special(token) for token in SPECIAL]
    assert set(ids) == tokenizer.special_ids
    assert tokenizer.decode([ids[0], *tokenizer.encode("a b"), ids[2]]) == "a b"
    with pytest.raises(BundleError, match="no special token <nonsense>"):
        tokenizer.special("<nonsense>")


def test_real_code_survives(tokenizer):
    for text in sources()[:10]:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_lone_surrogates_do_not_raise(tokenizer):
    assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a\ufffdb"
    assert tokenizer.decode(tokenizer.encode("\ud83d\ude42")) == "🙂"


def altered(path, change) -> dict:
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), encoding="utf-8")
    return raw


@pytest.fixture
def file(tmp_path):
    train_tokenizer(tmp_path / "tokenizer.json", 300)
    return tmp_path / "tokenizer.json"


def test_added_tokens_that_are_not_flagged_special_count_as_special(file):
    """Qwen2.5-Coder lists its infilling tokens that way."""

    def unflag(raw):
        for token in raw["added_tokens"]:
            token["special"] = False

    altered(file, unflag)
    tokenizer = BundleTokenizer(file, SPECIAL)
    ids = tokenizer.encode("a<|fim_prefix|>b")
    assert tokenizer.special_ids.isdisjoint(ids)
    assert tokenizer.decode([*ids, tokenizer.special("<|fim_prefix|>")]) == "a<|fim_prefix|>b"


def whole_words(raw):
    """``ignore_merges`` looks whole words up in the vocabulary, special tokens among them."""
    raw["model"]["ignore_merges"] = True
    flags = ("add_prefix_space", "trim_offsets", "use_regex")
    raw["pre_tokenizer"] = {"type": "ByteLevel", **dict.fromkeys(flags, False)}


def test_a_model_that_knows_the_special_token_as_a_word_does_not_produce_it(file):
    altered(file, whole_words)
    tokenizer = BundleTokenizer(file)
    for text in ("<|fim_prefix|>", "<|endoftext|>"):
        ids = tokenizer.encode(text)
        assert tokenizer.special_ids.isdisjoint(ids)
        assert tokenizer.decode(ids) == text


def test_many_texts_encode_as_each_by_itself(file):
    def whole_words_not_flagged(raw):
        whole_words(raw)
        for token in raw["added_tokens"]:
            token["special"] = False

    altered(file, whole_words_not_flagged)
    tokenizer = BundleTokenizer(file)
    texts = [*sources()[:3], "<|fim_prefix|>", "a\ud800b", "", "<|endoftext|>"]
    assert tokenizer.encode_all(texts) == [tokenizer.encode(text) for text in texts]
    assert tokenizer.special_ids.isdisjoint(tokenizer.encode_all(texts)[3])
    assert tokenizer.encode_all([]) == []


def test_whitespace_among_the_added_tokens_is_ordinary(file):
    def add(raw):
        flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
        number = len(raw["model"]["vocab"])
        raw["added_tokens"].append({"id": number, "content": " \t ", **dict.fromkeys(flags, False)})

    altered(file, add)
    tokenizer = BundleTokenizer(file)
    added = tokenizer.vocab_size - 1
    assert added not in tokenizer.special_ids
    assert tokenizer.encode(" \t x")[0] == added
    assert tokenizer.decode(tokenizer.encode(" \t x")) == " \t x"


def test_the_line_cache_is_bounded_and_keeps_what_was_used_last(file):
    tokenizer = BundleTokenizer(file, cached_lines=3)
    first = tokenizer.encode_line("first\n")
    for number in range(50):
        tokenizer.encode_line(f"{number}\n")
        assert tokenizer.encode_line("first\n") is first
    tokenizer.encode_line("x" * 5_000)
    assert len(tokenizer._lines) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"added_tokens": []}', "\x00\x01"])
def test_a_damaged_tokenizer_is_one_sentence(tmp_path, text):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(BundleError, match="is not a tokenizer"):
        BundleTokenizer(tmp_path / "tokenizer.json")


def test_a_missing_tokenizer(tmp_path):
    with pytest.raises(BundleError, match="cannot be read"):
        BundleTokenizer(tmp_path / "tokenizer.json")


@pytest.mark.parametrize("added", [[1], [{"id": 3}], {"a": 1}, [{"content": 5}], "x"])
def test_added_tokens_that_are_none(tmp_path, added):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "BPE"}, "added_tokens": added}))
    with pytest.raises(BundleError, match="added tokens that are none"):
        BundleTokenizer(path)


def test_a_tokenizer_that_makes_the_library_panic(tmp_path):
    path = tmp_path / "tokenizer.json"
    normalizer = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    model = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
    path.write_text(json.dumps({"model": model, "normalizer": normalizer, "added_tokens": []}))
    with pytest.raises(BundleError, match="is not a tokenizer that can be read"):
        BundleTokenizer(path)
