import hashlib
import json
import math
import shutil
from pathlib import Path

import pytest

from surefill.engine.bundle import Bundle, Manifest, find_bundle
from surefill.engine.decode import open_engine
from surefill.engine.display import DisplayWeights
from surefill.errors import BundleError, EngineError


def minimal() -> dict:
    return {
        "schema": 1,
        "name": "tiny",
        "version": "1.2",
        "languages": ["python"],
        "license": "Apache-2.0",
        "parameters": 10,
        "context_length": 64,
        "kv": {
            "layers": 1, "kv_heads": 1, "head_size": 8, "dtype": "float32", "layout": "shared"
        },
        "precision": "fp32",
        "prompt": {
            "template": "qwen2.5-coder",
            "order": "spm",
            "special_tokens": ["<|fim_prefix|>"],
            "ends": ["<|endoftext|>"],
        },
        "tokenizer": {"per_line": True},
        "files": {},
        "made": {"steps": 3},
        "scores": {},
    }  # fmt: skip


def write(folder: Path, raw: dict | None = None, **files: str) -> Path:
    raw = raw or minimal()
    folder.mkdir(exist_ok=True)
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).write_text(files.get(name, name))
        raw["files"].setdefault(name, hashlib.sha256((folder / name).read_bytes()).hexdigest())
    (folder / "bundle.json").write_text(json.dumps(raw))
    return folder


def test_a_bundle_says_whether_its_model_has_seen_other_files(tmp_path):
    raw = minimal()
    assert not Bundle.load(write(tmp_path / "old", raw)).manifest.prompt.related
    raw["prompt"]["related"] = True
    manifest = Bundle.load(write(tmp_path / "new", raw)).manifest
    assert manifest.prompt.related
    assert Manifest.parse(json.loads(manifest.to_json())) == manifest
    raw["prompt"]["related"] = "yes"
    with pytest.raises(BundleError, match=r'"prompt.related" in bundle.json must be true or false'):
        Bundle.load(write(tmp_path / "bad", raw))


def test_a_sound_bundle_loads_and_round_trips(tmp_path):
    bundle = Bundle.load(write(tmp_path / "b"))
    assert bundle.manifest.name == "tiny"
    assert bundle.manifest.kv.layers == 1
    assert bundle.manifest.prompt.ends == ("<|endoftext|>",)
    assert bundle.model_path.is_file()
    assert bundle.tokenizer_path.is_file()
    again = Manifest.parse(json.loads(bundle.manifest.to_json()))
    assert again == bundle.manifest
    assert again.to_json() == bundle.manifest.to_json()


def test_places_that_are_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="There is no bundle at"):
        Bundle.load(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="is a file, not a directory"):
        Bundle.load(tmp_path / "file")
    with pytest.raises(BundleError, match=r"has no bundle\.json"):
        Bundle.load(tmp_path)
    (tmp_path / "bundle.json").mkdir()
    with pytest.raises(BundleError, match="cannot be read"):
        Bundle.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\udcff", "[" * 100_000])
def test_a_manifest_that_is_not_json(tmp_path, text):
    (tmp_path / "bundle.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match="not valid JSON"):
        Bundle.load(tmp_path)


def test_schemas_of_other_versions():
    with pytest.raises(BundleError, match="Update Surefill"):
        Manifest.parse(minimal() | {"schema": 2})
    with pytest.raises(BundleError, match="outdated schema 0"):
        Manifest.parse(minimal() | {"schema": 0})


def paths(raw: dict, prefix: tuple[str, ...] = ()):
    for key, value in raw.items():
        if prefix[:1] in (("made",), ("scores",), ("files",)):
            continue
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from paths(value, (*prefix, key))


@pytest.mark.parametrize("path", list(paths(minimal())), ids=".".join)
def test_every_missing_and_mistyped_field_is_named(path):
    name = ".".join(path)
    for wrong in (None, object()):
        raw = minimal()
        raw["files"] = {"model.onnx": "0" * 64, "tokenizer.json": "0" * 64}
        inner = raw
        for key in path[:-1]:
            inner = inner[key]
        if wrong is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = wrong
        with pytest.raises(BundleError) as caught:
            Manifest.parse(raw)
        assert f'"{name}"' in str(caught.value)
        assert caught.value.remedy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": 0}, '"parameters" in bundle.json must be positive'),
        ({"parameters": True}, '"parameters" in bundle.json must be an integer'),
        ({"precision": "int3"}, "one of fp32"),
        ({"languages": [1]}, "a list of strings"),
        ({"files": {"model.onnx": "0" * 64}}, "does not list tokenizer.json"),
        ({"files": {"model.onnx": 3}}, '"files.model.onnx" in bundle.json must be a SHA-256'),
    ],
)
def test_values_that_cannot_be(change, message):
    with pytest.raises(BundleError) as caught:
        Manifest.parse(minimal() | change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("languages", "trained_for"),
    [(["python", "go"], ("python", "go")), ([], ()), (["*"], ()), (["python", "*"], ())],
)
def test_a_bundle_that_names_no_languages_is_for_all(languages, trained_for):
    raw = minimal() | {"languages": languages}
    raw["files"] = {"model.onnx": "0" * 64, "tokenizer.json": "0" * 64}
    assert Manifest.parse(raw).trained_for == trained_for


@pytest.mark.parametrize("raw", [[], None, 3, "x"])
def test_a_manifest_that_is_no_object(raw):
    with pytest.raises(BundleError, match=r"bundle\.json must be an object"):
        Manifest.parse(raw)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "C:x", "a\\..\\x", "", ".", "a\0b", "//x"]
)
def test_file_names_that_leave_the_bundle(name):
    with pytest.raises(BundleError, match="outside the bundle"):
        Manifest.parse(minimal() | {"files": {name: "0" * 64}})


def test_missing_and_damaged_files(tmp_path):
    folder = write(tmp_path / "b")
    (folder / "model.onnx").write_text("damaged")
    with pytest.raises(BundleError, match=r"model\.onnx .* is damaged"):
        Bundle.load(folder)
    assert Bundle.load(folder, verify=False).manifest.name == "tiny"
    (folder / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"has no file model\.onnx"):
        Bundle.load(folder)


def test_finding_a_bundle(tmp_path, monkeypatch):
    assert find_bundle("default").parts[-3:] == ("surefill", "bundles", "default")
    assert find_bundle(str(tmp_path)) == tmp_path
    assert find_bundle(tmp_path / "gone") == tmp_path / "gone"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    named = tmp_path / "data" / "surefill" / "bundles" / "mine"
    with pytest.raises(BundleError, match="no bundle named mine"):
        find_bundle("mine")
    named.mkdir(parents=True)
    assert find_bundle("mine") == named
    (tmp_path / "mine").mkdir()
    assert find_bundle("mine") == Path("mine")


@pytest.fixture
def copy(bundles, tmp_path):
    """A bundle with a real model that a test may damage and re-hash."""
    folder = tmp_path / "copy"
    shutil.copytree(bundles().path, folder)
    return folder


def rewrite(folder: Path, **changes: object) -> None:
    raw = json.loads((folder / "bundle.json").read_text())
    raw.update(changes)
    for name in raw["files"]:
        raw["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(raw))


def test_a_file_that_is_no_model(copy):
    (copy / "model.onnx").write_text("no graph")
    rewrite(copy)
    with pytest.raises(EngineError, match="cannot be loaded"):
        open_engine(copy)


def test_a_manifest_for_another_model(copy):
    kv = json.loads((copy / "bundle.json").read_text())["kv"]
    for change in ({"layers": 3}, {"layers": 1}):
        rewrite(copy, kv=kv | change)
        with pytest.raises(BundleError, match="not the one that its manifest describes"):
            open_engine(copy)
    for change in ({"kv_heads": 4}, {"head_size": 8}, {"dtype": "float16"}):
        rewrite(copy, kv=kv | change)
        with pytest.raises(BundleError, match="other than its manifest says"):
            open_engine(copy)


def test_a_tokenizer_of_another_model(copy, tmp_path):
    from tiny_models import train_tokenizer

    for vocab in (300, 700):
        train_tokenizer(copy / "tokenizer.json", vocab)
        rewrite(copy)
        with pytest.raises(BundleError, match="do not belong together"):
            open_engine(copy)
    train_tokenizer(copy / "tokenizer.json", 512, "starcoder2")
    rewrite(copy)
    with pytest.raises(BundleError, match="no special token"):
        open_engine(copy)


def test_a_file_that_the_manifest_does_not_list_is_refused(tmp_path):
    folder = write(tmp_path / "b")
    (folder / ".hidden").write_text("of the file system")
    Bundle.load(folder)
    (folder / "model.onnx.data").write_text("weights that nobody vouches for")
    with pytest.raises(BundleError, match=r"model\.onnx\.data, which its bundle\.json does not"):
        Bundle.load(folder)


def test_hashes_may_be_in_capitals_and_must_be_hashes(tmp_path):
    folder = write(tmp_path / "b")
    raw = json.loads((folder / "bundle.json").read_text())
    raw["files"] = {name: digest.upper() for name, digest in raw["files"].items()}
    (folder / "bundle.json").write_text(json.dumps(raw))
    Bundle.load(folder)
    raw["files"]["model.onnx"] = "z" * 64
    with pytest.raises(BundleError, match="SHA-256 in hex"):
        Manifest.parse(raw)


def test_a_bundle_may_bring_its_display_filter(tmp_path):
    raw = minimal()
    assert Bundle.load(write(tmp_path / "without", raw)).manifest.display is None
    assert "display" not in json.loads(Bundle.load(tmp_path / "without").manifest.to_json())
    raw["display"] = {"bias": -1, "weights": {"total": 0.5}, "languages": {"go": 0.25}}
    manifest = Bundle.load(write(tmp_path / "with", raw)).manifest
    assert manifest.display == DisplayWeights(-1.0, {"total": 0.5}, {"go": 0.25})
    assert Manifest.parse(json.loads(manifest.to_json())) == manifest
    at = {"total": -2.0}
    assert manifest.display.chance(at, "python") == pytest.approx(1 / (1 + math.exp(2.0)))
    assert manifest.display.chance(at, "go") > manifest.display.chance(at, "python")


@pytest.mark.parametrize(
    ("display", "message"),
    [
        ({"bias": 0}, r'"display.weights" in bundle.json must be an object'),
        ({"bias": "0", "weights": {}}, r'"display.bias" in bundle.json must be a number'),
        ({"bias": True, "weights": {}}, r'"display.bias" in bundle.json must be a number'),
        ({"bias": 0, "weights": {"total": float("nan")}}, r'"display.weights.total" .* number'),
        ({"bias": 0, "weights": {"total": float("inf")}}, r'"display.weights.total" .* number'),
        ({"bias": 0, "weights": {"total": 10**400}}, r'"display.weights.total" .* number'),
        ({"bias": 0, "weights": {"mood": 1.0}}, "weighs what this Surefill does not know: mood"),
        ({"bias": 0, "weights": {}, "languages": []}, r'"display.languages" .* must be an object'),
        ([], r'"display" in bundle.json must be an object'),
    ],
)
def test_numbers_of_a_display_filter_that_cannot_be(tmp_path, display, message):
    raw = minimal()
    raw["display"] = display
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.load(write(tmp_path / "bad", raw))
    assert "surefill-train" in str(caught.value)
