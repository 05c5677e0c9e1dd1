"""A model whose vocabulary was cut: what it still says, loses and is told when it cannot be cut."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoTokenizer, LlamaForCausalLM

from surefill.context.prompt import TEMPLATES
from surefill.engine.decode import open_engine
from surefill.engine.interrupt import Interrupt
from surefill_training import cli
from surefill_training.options import LoraOptions, TrainOptions
from surefill_training.train.source import existing_model
from surefill_training.vocabulary import byte_pairs
from surefill_training.vocabulary.byte_pairs import BYTES, BytePairs
from surefill_training.vocabulary.selection import must_stay, select
from tiny_models import bundle_checkpoint, make_checkpoint, sources

TEMPLATE = TEMPLATES["qwen2.5-coder"]
SPECIAL = [AddedToken(t, special=True, normalized=False) for t in TEMPLATE.special_tokens()]
VOCABULARY, CUT = 1024, 512
LOST = {"\u0100", "\u00f1", "\u00ff"}
"""Characters of the bytes 0x00, 0xF1 and 0xFF, for which the small tokenizer has no token."""
TEXT = st.text() | st.text(alphabet="ab_19 \n\t()'<|>.\u00e9\u4e2d\u2028\u0301\U00050000\x00")
SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

Run = Callable[..., str]


def train(path: Path, *, special_first: bool) -> None:
    """Byte-level BPE in the manner of GPT-2, with some bytes missing, as SmolLM2's has."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - (0 if special_first else len(SPECIAL)),
        special_tokens=SPECIAL if special_first else [],
        initial_alphabet=sorted(BYTES - LOST),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sources(), trainer)
    tokenizer.add_special_tokens(SPECIAL)
    end = TEMPLATE.ends[0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{end} $A", special_tokens=[(end, tokenizer.token_to_id(end))]
    )
    tokenizer.save(str(path))


def make(folder: Path, *, special_first: bool, tied: bool) -> Path:
    make_checkpoint(folder, "llama", vocab=VOCABULARY, context=256)
    train(folder / "tokenizer.json", special_first=special_first)
    end = load(folder).token_to_id(TEMPLATE.ends[0])
    model = LlamaForCausalLM.from_pretrained(folder)
    if not tied:
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight) * 0.15)
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.bos_token_id, config.pad_token_id = [end], end, end
    model.save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": TEMPLATE.ends[0],
                "added_tokens_decoder": {
                    str(load(folder).token_to_id(t.content)): {
                        "content": t.content,
                        "special": True,
                    }
                    for t in SPECIAL
                },
            }
        )
    )
    return folder


def load(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    return tokenizer


def tokens(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)


def call(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of source files: Python, and one in JavaScript."""
    folder = tmp_path_factory.mktemp("code")
    for number, text in enumerate(sources(40)):
        (folder / f"m{number}.py").write_text(text, encoding="utf-8", errors="replace")
    (folder / "page.js").write_text("function zebra() { return document.zebra; }\n" * 20)
    (folder / "minified.js").write_text("quagga=1;" * 5_000)
    (folder / "notes.txt").write_text("quagga")
    return folder


@pytest.fixture(scope="module", params=["special tokens first, tied", "last, untied"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, code: Path
) -> tuple[Path, Path]:
    """A model's folder, and that of the same model with half of its vocabulary."""
    first = request.param.startswith("special")
    folder = make(tmp_path_factory.mktemp("model") / "m", special_first=first, tied=first)
    out = folder.with_name("cut")
    assert call("trim", folder, "--corpus", code, "--vocabulary", CUT - 5, "--out", out) == 0
    return folder, out


def test_the_size_is_as_asked_and_everything_says_so(pair: tuple[Path, Path]) -> None:
    before, after = load(pair[0]), load(pair[1])
    assert after.get_vocab_size() == CUT
    config = json.loads((pair[1] / "config.json").read_text())
    assert config["vocab_size"] == CUT
    assert config["tie_word_embeddings"] == (before.token_to_id(TEMPLATE.ends[0]) == 0)
    end = after.token_to_id(TEMPLATE.ends[0])
    generation = json.loads((pair[1] / "generation_config.json").read_text())
    for found in (config, generation):
        assert found["eos_token_id"] == [end]
        assert (found["bos_token_id"], found["pad_token_id"]) == (end, end)
    described = json.loads((pair[1] / "tokenizer_config.json").read_text())["added_tokens_decoder"]
    assert {int(n): token["content"] for n, token in described.items()} == {
        after.token_to_id(token.content): token.content for token in SPECIAL
    }
    assert sorted(after.get_vocab().values()) == list(range(CUT))
    # What the model's folder says is what transformers makes of it.
    loaded = AutoTokenizer.from_pretrained(pair[1])
    assert loaded.eos_token_id == end
    assert loaded("x = 1").input_ids[0] == end
    assert len(loaded) == CUT


def test_special_tokens_bytes_and_parts_stay(pair: tuple[Path, Path]) -> None:
    before, after = (byte_pairs.read(folder / "tokenizer.json") for folder in pair)
    assert set(after.added) == {token.content for token in SPECIAL}
    assert after.vocab.keys() >= BYTES
    assert before.missing_bytes == sorted(LOST)
    made = {left + right: (left, right) for left, right in after.merges}
    assert all(len(token) == 1 or token in made for token in set(after.vocab) - set(after.added))
    assert [m for m in before.merges if m in set(after.merges)] == [*after.merges]
    parts = {*itertools.chain(*after.merges), *made}
    assert parts <= after.vocab.keys()


def test_the_tokens_of_an_earlier_cut_give_the_same_model_again(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, cut = pair
    out = tmp_path / "again"
    assert call("trim", before, "--like", cut / "tokenizer.json", "--out", out) == 0
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (out / name).read_bytes() == (cut / name).read_bytes()
    other = tmp_path / "other"
    assert call("trim", cut, "--like", before / "tokenizer.json", "--out", other) == 1
    assert "was not cut from that of" in capsys.readouterr().err
    assert call("trim", before, "--vocabulary", 512, "--out", other) == 1
    assert "Give --corpus and --vocabulary, or --like" in capsys.readouterr().err
    assert not other.exists()


@given(text=TEXT)
@SLOW
def test_any_text_comes_back(pair: tuple[Path, Path], text: str) -> None:
    after = load_once(pair[1])
    assert after.decode(after.encode(text, add_special_tokens=False).ids) == text


@given(data=st.binary())
@SLOW
def test_any_bytes_come_back(pair: tuple[Path, Path], data: bytes) -> None:
    after = load_once(pair[1])
    for text in (data.decode("utf-8", "replace"), data.decode("latin-1")):
        assert after.decode(after.encode(text, add_special_tokens=False).ids) == text


_LINES = [line for text in sources(60) for line in text.splitlines(keepends=True)]


@given(text=st.lists(st.sampled_from(_LINES) | TEXT, max_size=3).map("".join))
@SLOW
def test_words_without_a_dropped_token_are_encoded_as_before(
    pair: tuple[Path, Path], text: str
) -> None:
    before, after = (load_once(folder) for folder in pair)
    kept = after.get_vocab()
    for word, _ in before.pre_tokenizer.pre_tokenize_str(text):
        # One word at a time, as bytes, so that no other decides.
        old, new = (one.model.tokenize(word) for one in (before, after))
        if "".join(token.value for token in old) == word and all(t.value in kept for t in old):
            assert [token.value for token in new] == [token.value for token in old]
    if set(tokens(before, text)) <= kept.keys() and not LOST & set("".join(tokens(after, text))):
        assert tokens(after, text) == tokens(before, text)


_LOADED: dict[Path, Tokenizer] = {}


def load_once(folder: Path) -> Tokenizer:
    return _LOADED.setdefault(folder, load(folder))


def kept_texts(pair: tuple[Path, Path], count: int = 5) -> list[str]:
    """Lines that need no dropped token."""
    before, after = (load(folder) for folder in pair)
    kept = after.get_vocab()
    found = [line for line in _LINES if line.strip() and set(tokens(before, line)) <= kept.keys()]
    return random.Random(0).sample(found, count)


def test_the_model_says_the_same(pair: tuple[Path, Path]) -> None:
    before, after = (load(folder) for folder in pair)
    whole, cut = (LlamaForCausalLM.from_pretrained(folder).eval() for folder in pair)
    # The old id of each new token; a byte that was missing has none.
    rows = [before.token_to_id(after.id_to_token(number)) for number in range(CUT)]
    old = torch.tensor([row for row in rows if row is not None])
    new = torch.tensor([number for number, row in enumerate(rows) if row is not None])
    assert CUT - len(old) == len(LOST)
    for text in kept_texts(pair):
        written: list[list[str]] = []
        ids = [one.encode(text, add_special_tokens=False).ids for one in (before, after)]
        with torch.inference_mode():
            logits = [
                m(torch.tensor([i])).logits[0] for m, i in zip((whole, cut), ids, strict=True)
            ]
            assert torch.allclose(logits[0][:, old], logits[1][:, new], atol=1e-4)
            # Greedy, of the tokens that both have.
            for model, tokenizer, allowed in (
                (whole, before, old),
                (cut, after, torch.arange(CUT)),
            ):
                row = tokenizer.encode(text, add_special_tokens=False).ids
                for _ in range(12):
                    last = model(torch.tensor([row])).logits[0, -1]
                    row.append(int(allowed[last[allowed].argmax()]))
                written.append([tokenizer.id_to_token(token) for token in row])
        assert written[0] == written[1]


def test_a_byte_without_a_token_gets_one_that_is_never_the_likeliest(
    pair: tuple[Path, Path],
) -> None:
    after = byte_pairs.read(pair[1] / "tokenizer.json")
    cut = LlamaForCausalLM.from_pretrained(pair[1]).eval()
    of_bytes = torch.tensor([after.vocab[b] for b in sorted(BYTES - LOST)])
    new = torch.tensor([after.vocab[b] for b in sorted(LOST)])
    with torch.inference_mode():
        logits = cut(torch.tensor([[5, 80, 300, 41]])).logits[0]
    assert torch.allclose(logits[:, new], logits[:, of_bytes].mean(1)[:, None], atol=1e-4)
    assert (logits[:, new].max(1).values < logits[:, of_bytes].max(1).values).all()


def test_it_is_trained_and_served_as_it_is(pair: tuple[Path, Path]) -> None:
    start = existing_model(str(pair[1]), TrainOptions(lora=LoraOptions(rank=2)))
    assert start.plan.shape.vocabulary == CUT
    assert start.options.template == TEMPLATE.name
    bundle = bundle_checkpoint(pair[1], pair[1].with_name("bundle"), context=256)
    engine = open_engine(bundle)
    try:
        assert engine.session.vocab_size == engine.tokenizer.vocab_size == CUT
        prompt = engine.tokenizer.encode("import os\n\ndef")
        served, _ = engine.session.prefill(prompt, Interrupt())
        with torch.inference_mode():
            model = LlamaForCausalLM.from_pretrained(pair[1]).eval()
            expected = model(torch.tensor([prompt])).logits[0, -1]
        assert torch.allclose(torch.from_numpy(served), expected, atol=1e-3)
    finally:
        engine.close()


def test_what_was_known_of_the_model_is_carried_on(
    pair: tuple[Path, Path], code: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(pair[0], tmp_path / "model")
    LlamaForCausalLM.from_pretrained(folder).to(torch.bfloat16).save_pretrained(folder)
    (folder / "training.json").write_text('{"template": "qwen2.5-coder", "parameters": 1}')
    (folder / "source.json").write_text('{"name": "somewhere"}')
    (folder / "merges.txt").write_text("a b\n")
    (folder / "added_tokens.json").write_text(json.dumps({TEMPLATE.middle: 7}))
    out = tmp_path / "out"
    assert call("trim", folder, "--corpus", code, "--vocabulary", 640, "--out", out) == 0
    trimmed = json.loads((out / "trimmed.json").read_text())
    training, source = (json.loads((out / f"{n}.json").read_text()) for n in ("training", "source"))
    assert (trimmed["vocabulary"], trimmed["of"], trimmed["added_bytes"]) == (640, 1024, 3)
    assert len(trimmed["kept"]) == 640
    assert training["trimmed"] == source["trimmed"]
    assert training["trimmed"]["vocabulary"] == 640
    assert training["template"] == "qwen2.5-coder"
    assert source["name"] == "somewhere"
    weights = sum(p.numel() for p in LlamaForCausalLM.from_pretrained(out).parameters())
    assert training["parameters"] == weights
    # The hash of the tokenizer is that of the new one, else it would be refused.
    assert existing_model(str(out), TrainOptions()).tokenizer.get_vocab_size() == 640
    kept = LlamaForCausalLM.from_pretrained(out, dtype="auto")
    assert kept.dtype == torch.bfloat16
    assert not (out / "merges.txt").exists()
    added = json.loads((out / "added_tokens.json").read_text())
    assert added == {TEMPLATE.middle: load(out).token_to_id(TEMPLATE.middle)}
    # What was cut once can be cut once more.
    again = tmp_path / "again"
    assert call("trim", out, "--corpus", code, "--vocabulary", 320, "--out", again) == 0
    assert load(again).get_vocab_size() == 320


def test_languages_count_by_their_weight(
    pair: tuple[Path, Path], code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {}
    for name, weights in {"python": ("javascript=0",), "javascript": ("python=0",)}.items():
        options = [part for weight in weights for part in ("--weight", weight)]
        out = tmp_path / name
        few = ("--corpus", code, "--vocabulary", 320, *options, "--out", out)
        assert call("trim", pair[0], *few) == 0
        kept[name] = load(out)
    text = "function zebra() { return document.zebra; }\n"
    assert len(tokens(kept["javascript"], text)) < len(tokens(kept["python"], text))
    line = "def __init__(self, name):\n"
    assert len(tokens(kept["python"], line)) < len(tokens(kept["javascript"], line))
    assert "No text was counted in" in capsys.readouterr().err


def test_a_built_corpus_counts(pair: tuple[Path, Path], corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("trim", pair[0], "--corpus", corpus, "--vocabulary", CUT, "--out", out) == 0
    record = json.loads((out / "trimmed.json").read_text())
    assert record["corpora"] == [json.loads((corpus / "manifest.json").read_text())["hash"]]
    (row,) = record["languages"]
    assert row["language"] == "python"
    assert row["before"] >= row["after"] > 1
    assert 0 <= row["split"] < 1


def pairs(merges: list[tuple[str, str]], **model: Any) -> BytePairs:
    letters = sorted({c for merge in merges for part in merge for c in part})
    names = dict.fromkeys([*sorted(BYTES), *letters, *(a + b for a, b in merges)])
    vocab = {token: number for number, token in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, **model))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return BytePairs(json.loads(tokenizer.to_str()), vocab, {}, tuple(merges))


@pytest.mark.parametrize("model", [{}, {"ignore_merges": True}])
def test_tokens_with_several_derivations_keep_the_parts_of_all(model: dict[str, Any]) -> None:
    merges = [("a", "b"), ("b", "c"), ("c", "d"), ("ab", "c"), ("a", "bc"), ("bc", "d")]
    merges += [("abc", "d"), ("a", "bcd"), ("ab", "cd")]
    source = pairs(merges, **model)
    whole = Tokenizer.from_str(json.dumps(source.raw))
    words = ["".join(w) for n in range(1, 7) for w in itertools.product("abcd", repeat=n)]
    composed = sorted(set(source.vocab) - BYTES)
    for number in range(2 ** len(composed)):
        asked = {token for bit, token in enumerate(composed) if number >> bit & 1}
        kept = byte_pairs.closed(BYTES | asked, source.derivations())
        result = byte_pairs.trimmed(source, kept)
        cut = Tokenizer.from_str(json.dumps(result.raw))
        for word in words[:: 1 if number % 8 == 0 else 13]:
            before = tokens(whole, word)
            assert "".join(tokens(cut, word)) == word
            if kept.issuperset(before):
                assert tokens(cut, word) == before


def test_what_is_used_least_goes_first_and_leaves_its_uses_to_its_parts() -> None:
    source = pairs([("a", "b"), ("c", "d"), ("ab", "c"), ("d", "a"), ("e", "e"), ("f", "g")])
    fixed = must_stay(source)
    assert fixed == BYTES
    uses = {"ab": 1.0, "fg": 5.5, "abc": 5.0, "cd": 4.0, "da": 3.0}
    order = []
    whole = set(source.vocab)
    for size in range(261, 256, -1):
        kept = select(source, uses, size, fixed)
        assert len(kept) == size
        order += sorted(whole - kept)
        whole = kept
    # `ab` is used seldom but needed for `abc`, whose uses it then has.
    assert order == ["ee", "da", "cd", "abc", "fg"]


@pytest.fixture
def refused(
    pair: tuple[Path, Path], code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The message of a cut that is refused; nothing is written."""

    def run(
        *more: object, model: Path = pair[0], corpus: Path = code, size: int = CUT, out: str = "out"
    ) -> str:
        given = ("--corpus", corpus, "--vocabulary", size, "--out", tmp_path / out, *more)
        before = sorted(tmp_path.rglob("*"))
        assert call("trim", model, *given) == 1
        assert sorted(tmp_path.rglob("*")) == before
        message = " ".join(capsys.readouterr().err.split())
        assert message.endswith(".")
        assert "Traceback" not in message
        return message

    return run


def test_sizes_that_are_no_cut(refused: Run) -> None:
    for size in (1, 256, 1024, 5000):
        message = refused(size=size)
        assert "is no cut of one of 1024 in which 262 must stay" in message
        assert "from 320 to 960" in message


def test_folders_that_do_not_fit(refused: Run, code: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    assert "is not empty" in refused(out="full")
    assert "is not empty" in refused(out="full/file")
    assert "is not a folder" in refused(corpus=tmp_path / "nowhere")
    assert "no file in a language that counts" in refused(corpus=tmp_path / "full")
    assert "holds no model" in refused(model=tmp_path / "full")
    message = refused("--weight", "cobol=1")
    assert "has no text in cobol" in message
    assert "it has javascript, python" in message
    zero = [part for name in ("python", "javascript") for part in ("--weight", f"{name}=0")]
    assert "no file in a language that counts" in refused(*zero)


def test_weights_are_read_strictly(code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("python", "python=many", "python=-1", "=1"):
        with pytest.raises(SystemExit):
            call("trim", "m", "--corpus", code, "--vocabulary", 1, "--weight", wrong, "--out", "o")
        assert "--weight" in capsys.readouterr().err


def change_tokenizer(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "tokenizer.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def test_tokenizers_that_are_of_another_kind(
    pair: tuple[Path, Path], refused: Run, tmp_path: Path
) -> None:
    def without_bytes(raw: dict[str, Any]) -> None:
        raw["pre_tokenizer"] = {"type": "Metaspace", "replacement": "_", "prepend_scheme": "never"}

    def words(raw: dict[str, Any]) -> None:
        vocab = raw["model"]["vocab"]
        raw["model"] = {"type": "WordLevel", "vocab": vocab, "unk_token": "a"}

    def not_decoded(raw: dict[str, Any]) -> None:
        raw["decoder"] = None

    def marked(raw: dict[str, Any]) -> None:
        raw["model"]["end_of_word_suffix"] = "</w>"

    for number, (change, reason) in enumerate(
        {
            without_bytes: "it does not turn text into bytes first",
            words: "its model is WordLevel",
            not_decoded: "it does not turn bytes back into text",
            marked: "it marks the beginnings or ends of words",
        }.items()
    ):
        folder = shutil.copytree(pair[0], tmp_path / f"model-{number}")
        change_tokenizer(folder, change)
        message = refused(model=folder)
        assert "is not a byte-level BPE tokenizer" in message
        assert reason in message


def test_a_tokenizer_of_another_model(
    pair: tuple[Path, Path], refused: Run, tmp_path: Path
) -> None:
    small = shutil.copytree(pair[0], tmp_path / "small")
    shutil.copyfile(pair[1] / "tokenizer.json", small / "tokenizer.json")
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps(config | {"eos_token_id": 1000}))
    assert "config.json names a token 1000, which it does not have" in refused(model=small)
    other = shutil.copytree(pair[0], tmp_path / "other")
    named = json.loads((other / "tokenizer_config.json").read_text())
    (other / "tokenizer_config.json").write_text(json.dumps(named | {"eos_token": "</s>"}))
    assert "names a token '</s>', which it does not have" in refused(model=other)
    large = shutil.copytree(pair[1], tmp_path / "large")
    shutil.copyfile(pair[0] / "tokenizer.json", large / "tokenizer.json")
    assert "it has 1024 tokens, the model 512" in refused(model=large, size=320)
