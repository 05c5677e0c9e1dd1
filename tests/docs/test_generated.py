"""What is made from another file is what that file says now."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import generate  # noqa: E402


def test_nothing_that_is_generated_is_out_of_date():
    command = [sys.executable, "scripts/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_description_changed_by_hand_is_put_right():
    text = (ROOT / "vscode-client/package.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    (page,) = (
        each
        for each in manifest["contributes"]["configuration"]
        if "surefill.engine.threads" in each["properties"]
    )
    page["properties"]["surefill.engine.threads"] |= {"description": "Other.", "maximum": 1}
    page["properties"]["surefill.engine.gone"] = {"type": "boolean"}
    del page["properties"]["surefill.remote.model"]
    made = json.loads(generate.vscode_manifest(json.dumps(manifest)))
    (mended,) = (
        each
        for each in made["contributes"]["configuration"]
        if "surefill.engine.threads" in each["properties"]
    )
    original = json.loads(text)["contributes"]["configuration"]
    assert mended in [dict(each) for each in original]
    assert "surefill.engine.gone" not in mended["properties"]


def test_what_only_the_editor_knows_of_a_setting_stays():
    text = (ROOT / "vscode-client/package.json").read_text(encoding="utf-8")
    made = json.loads(generate.vscode_manifest(text))
    properties = {
        name: each
        for page in made["contributes"]["configuration"]
        for name, each in page["properties"].items()
    }
    assert properties["surefill.oracle.python"]["scope"] == "machine-overridable"
    assert properties["surefill.remote.url"]["pattern"]
    assert properties["surefill.languages"]["default"][:2] == ["python", "javascript"]


def test_every_setting_is_in_the_documentation():
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    for setting in generate.settings():
        assert f"| `{setting.name}` |" in page
        assert setting.description.endswith((".", ".)")), setting.name


def test_the_version_stands_in_one_place(monkeypatch):
    monkeypatch.setattr(generate, "__version__", "9.8.7")
    made = generate.generated()
    assert 'surefill[cpu]==9.8.7"' in made["training/pyproject.toml"]
    assert '__version__ = "9.8.7"' in made["training/surefill_training/__init__.py"]
    assert json.loads(made["vscode-client/package.json"])["version"] == "9.8.7"
    lock = json.loads(made["vscode-client/package-lock.json"])
    assert lock["version"] == lock["packages"][""]["version"] == "9.8.7"
