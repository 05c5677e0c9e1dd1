"""Writes what is made from another file: `nox -s generate`; with `--check` it only compares.

- `docs/settings.md` and the settings in `vscode-client/package.json`, from
  `server/surefill/settings.py`;
- the version of the training distribution and of the VS Code extension, from
  `server/surefill/__init__.py`.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "server"))

from surefill import __version__  # noqa: E402 - of this tree, whatever is installed
from surefill.settings import Settings  # noqa: E402

GROUPS_IN_VSCODE = {
    "": "Surefill",
    "log": "Surefill",
    "completion": "Suggestions",
    "context": "Suggestions",
    "snippets": "Suggestions",
    "checks": "Checks and Problems",
    "diagnostics": "Checks and Problems",
    "oracle": "Checks and Problems",
    "engine": "Engine",
    "remote": "Engine",
}
"""The page of VS Code's settings editor that a group of settings stands on."""
ONLY_IN_VSCODE = {
    "enabled": "While Surefill is paused, its server does not run.",
    "bundle": "*Surefill: Choose Bundle* lists what there is.",
    "disabledLanguages": "*Surefill: Pause for This Language* writes it.",
    "oracle.python": "The one that the Python extension has selected comes before all these.",
}
"""Sentences that are true of the extension alone."""
OWN_TO_VSCODE = {
    "surefill.languages",
    "surefill.server.path",
    "surefill.environment.package",
    "surefill.trace.server",
}
"""Settings that the extension reads itself. They are written by hand in `package.json`."""
GENERATED_KEYS = {
    "type",
    "enum",
    "enumDescriptions",
    "default",
    "minimum",
    "maximum",
    "description",
    "markdownDescription",
}
JSON_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    tuple[str, ...]: "array",
    Mapping[str, tuple[str, ...]]: "object",
}


@dataclass(frozen=True)
class Setting:
    """One setting: its name without `surefill.`, and all that is known of its values."""

    name: str
    group: str
    hint: Any
    default: Any
    metadata: Mapping[str, Any]
    description: str

    @property
    def choices(self) -> tuple[str, ...]:
        return get_args(self.hint) if get_origin(self.hint) is Literal else ()

    @property
    def meanings(self) -> Mapping[str, str]:
        """What each choice means; empty where their names say it."""
        meanings: Mapping[str, str] = self.metadata.get("choices", {})
        if meanings and tuple(meanings) != self.choices:
            raise SystemExit(f"{self.name}: its choices are {self.choices}, not {tuple(meanings)}.")
        return meanings


def settings() -> list[Setting]:
    """All settings in the order of the server's classes."""
    return list(_settings_of(Settings(), ""))


def _settings_of(group: Any, path: str) -> Iterator[Setting]:  # noqa: ANN401 - any dataclass
    hints, texts = get_type_hints(type(group)), _descriptions(type(group))
    for item in dataclasses.fields(group):
        first, *others = item.name.split("_")
        name = first + "".join(word.capitalize() for word in others)
        value = getattr(group, item.name)
        if dataclasses.is_dataclass(value):
            yield from _settings_of(value, name)
            continue
        full = f"{path}.{name}" if path else name
        if item.name not in texts:
            raise SystemExit(f"{full}: describe it in the line below it, in settings.py.")
        yield Setting(full, path, hints[item.name], value, item.metadata, texts[item.name])


def _descriptions(group: type) -> dict[str, str]:
    """The text below each field of a dataclass, in one line."""
    (node,) = ast.parse(inspect.getsource(group)).body
    assert isinstance(node, ast.ClassDef)
    found = {}
    for field, text in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def settings_page() -> str:
    """`docs/settings.md`."""
    known = settings()
    lines = [
        "# Settings",
        "",
        "<!-- Written by `nox -s generate` from server/surefill/settings.py. -->",
        "",
        "All settings are under `surefill`. The server takes them from `initializationOptions` and",
        "from `workspace/configuration`. Changes apply at once. A value that cannot be used is",
        "named in a message, and the default takes its place.",
        "",
        "VS Code has the same settings, and a few of its own, which its settings editor describes.",
    ]
    for group in dict.fromkeys(each.group for each in known):
        title = f"`{group}`" if group else "General"
        lines += ["", f"## {title}", "", "| setting | default | meaning |", "|---|---|---|"]
        lines += [_row(each) for each in known if each.group == group]
    return "\n".join(lines) + "\n"


def _row(setting: Setting) -> str:
    meaning = setting.description
    if setting.meanings:
        meaning += " " + " ".join(f'`"{key}"`: {text}' for key, text in setting.meanings.items())
    elif setting.choices:
        meaning += " One of " + ", ".join(f'`"{each}"`' for each in setting.choices) + "."
    if "low" in setting.metadata:
        meaning += f" From {setting.metadata['low']:g} to {setting.metadata['high']:g}."
    return f"| `{setting.name}` | `{json.dumps(setting.default)}` | {meaning} |"


def vscode_manifest(text: str) -> str:
    """`vscode-client/package.json` with the server's settings and version in it.

    What only VS Code knows of a setting (its scope, order, pattern) stays as it is.
    """
    manifest = json.loads(text)
    manifest["version"] = __version__
    pages = {each["title"]: each for each in manifest["contributes"]["configuration"]}
    before = {name: each for page in pages.values() for name, each in page["properties"].items()}
    known = {f"surefill.{each.name}": each for each in settings()}
    for title, page in pages.items():
        names = [name for name in page["properties"] if name in known or name in OWN_TO_VSCODE]
        names += [
            name
            for name, each in known.items()
            if name not in before and GROUPS_IN_VSCODE[each.group] == title
        ]
        page["properties"] = {
            name: before[name]
            if name in OWN_TO_VSCODE
            else _property(known[name], before.get(name, {}), known)
            for name in names
        }
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _property(
    setting: Setting, before: Mapping[str, Any], known: Mapping[str, Setting]
) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string" if setting.choices else JSON_TYPES[setting.hint]}
    if setting.choices:
        schema["enum"] = list(setting.choices)
    if setting.meanings:
        schema["enumDescriptions"] = [_plain(text, known) for text in setting.meanings.values()]
    schema["default"] = setting.default
    if "low" in setting.metadata:
        low, high = (_whole(setting.metadata[bound]) for bound in ("low", "high"))
        schema |= {"minimum": low, "maximum": high}
    schema |= {key: value for key, value in before.items() if key not in GENERATED_KEYS}
    text = " ".join(filter(None, [setting.description, ONLY_IN_VSCODE.get(setting.name)]))
    linked = re.sub(
        r"`([\w.]+)`",
        lambda found: f"`#surefill.{found[1]}#`" if f"surefill.{found[1]}" in known else found[0],
        text,
    )
    schema["markdownDescription" if re.search("[`*]", text) else "description"] = linked
    return schema


def _plain(text: str, known: Mapping[str, Setting]) -> str:
    """Markdown as plain text, settings by their full names."""

    def name(found: re.Match[str]) -> str:
        full = f"surefill.{found[1]}"
        return full if full in known else found[1]

    return re.sub(r"`([^`]+)`", name, text)


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


def with_version(text: str, pattern: str, count: int) -> str:
    """``text`` with our version in place of the group in ``pattern``, found ``count`` times."""
    found = re.findall(pattern, text, re.MULTILINE)
    if len(found) != count:
        raise SystemExit(f"{pattern} is found {len(found)} times, not {count}.")
    return re.sub(
        pattern,
        lambda match: match[0].replace(match[1], __version__),
        text,
        flags=re.MULTILINE,
    )


def generated() -> dict[str, str]:
    """Every file that is made here, by its path in the repository, as it should be."""

    def read(path: str) -> str:
        return (ROOT / path).read_text(encoding="utf-8")

    lock = json.loads(read("vscode-client/package-lock.json"))
    lock["version"] = lock["packages"][""]["version"] = __version__
    pin = with_version(read("training/pyproject.toml"), r'"surefill\[cpu\]==([^"]+)"', 1)
    return {
        "docs/settings.md": settings_page(),
        "vscode-client/package.json": vscode_manifest(read("vscode-client/package.json")),
        "vscode-client/package-lock.json": json.dumps(lock, indent=2, ensure_ascii=False) + "\n",
        "training/pyproject.toml": pin,
        "training/surefill_training/__init__.py": with_version(
            read("training/surefill_training/__init__.py"), r'^__version__ = "([^"]+)"$', 1
        ),
    }


def main() -> int:
    """Write the files; with `--check` say which are out of date, and write nothing."""
    stale = []
    for name, text in generated().items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"out of date: {name}" if "--check" in sys.argv[1:] else f"written: {name}")
    if stale and "--check" in sys.argv[1:]:
        print("Run: nox -s generate")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
