"""Settings: typed, with a default for everything; bad values become messages and defaults.

Knows the JSON that editors send (names as under ``surefill`` in their settings), nothing of how it
arrives. The text below each setting is Markdown: `nox -s generate` makes the documentation's table
and the settings of the VS Code extension from it.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

Multiline = Literal["auto", "always", "never"]
EngineKind = Literal["local", "remote"]
Provider = Literal["auto", "cpu", "cuda"]
OracleEngine = Literal["ty", "pyrefly", "off"]
ReadAhead = Literal["auto", "on", "off"]
RemoteTemplate = Literal[
    "suffix", "qwen2.5-coder", "starcoder2", "codellama", "deepseek-coder", "codegemma", "plain"
]
LogLevel = Literal["error", "warning", "info", "debug"]


_OF_CLIENTS = {"trace"}
"""Settings under our name that are the client library's own, such as ``surefill.trace.server``."""


def _between(low: float, high: float, default: float) -> Any:  # noqa: ANN401 - as dataclasses.field
    return field(default=default, metadata={"low": low, "high": high})


def _choices(**meanings: str) -> dict[str, dict[str, str]]:
    """Metadata of a field: what each of its choices means, in the order of its type."""
    return {"choices": meanings}


@dataclass(frozen=True)
class CompletionSettings:
    """What is suggested, and how long that may take."""

    max_new_tokens: int = _between(1, 1024, 64)
    """Upper bound of a suggestion's length, in tokens of the model."""
    deadline_ms: int = _between(50, 60_000, 2000)
    """Milliseconds after which the best part that has been checked so far is shown."""
    alternatives: int = _between(1, 10, 1)
    """Suggestions per request, to cycle through. Each costs time."""
    multiline: Multiline = field(
        default="auto",
        metadata=_choices(
            auto="Several lines where the syntax asks for a block.",
            always="Several lines wherever they fit.",
            never="Never more than one line.",
        ),
    )
    """When a suggestion may have several lines."""
    # The default is the lowest with which at most 15 % of places in packages that no model here has
    # seen show something wrong.
    min_confidence: float = _between(0.0, 1.0, 0.4)
    """The chance to begin right that a suggestion needs, unless you ask for one. It is cut where it
    is no longer likely to be right. 0 shows everything."""
    blend: bool = True
    """Mix what the model says with n-grams of its training corpus, of the document and of the
    project, where the bundle has n-grams."""


@dataclass(frozen=True)
class ContextSettings:
    """What the model sees besides the document."""

    related: bool = True
    """Let the model see excerpts of open files and signatures of imported local modules, where the
    bundle was trained so. Never sent to a remote server."""


@dataclass(frozen=True)
class EngineSettings:
    """Where and how the model runs."""

    kind: EngineKind = field(
        default="local",
        metadata=_choices(
            local="The model runs on this machine; nothing leaves it.",
            remote="An OpenAI-compatible server: the text around your cursor is sent to it.",
        ),
    )
    """Where the model runs."""
    provider: Provider = field(
        default="auto",
        metadata=_choices(auto="CUDA where it works, else the CPU.", cpu="The CPU.", cuda="CUDA."),
    )
    """What the local model runs on."""
    threads: int = _between(0, 256, 0)
    """Threads of the local model; 0 takes the physical cores."""
    read_ahead: ReadAhead = field(
        default="auto",
        metadata=_choices(
            auto="Unless the machine runs on battery, as `engine.onBattery` says.",
            on="Always.",
            off="Never: the model works only when it is asked.",
        ),
    )
    """While you pause, let the local model read what stands around the cursor, and prepare what
    comes after a suggestion: the next answer is there sooner. Requests always come first."""
    on_battery: bool = False
    """Whether the machine runs on battery. Editors cannot tell: set it where you want
    `engine.readAhead` to be off."""

    @property
    def reads_ahead(self) -> bool:
        """Whether the model is to be busy though nobody has asked."""
        return self.read_ahead == "on" or (self.read_ahead == "auto" and not self.on_battery)


@dataclass(frozen=True)
class RemoteSettings:
    """An OpenAI-compatible server, for `engine.kind` "remote"."""

    url: str = ""
    """Address of the OpenAI-compatible server, for `engine.kind` *remote*."""
    model: str = ""
    """Name of the model on that server."""
    template: RemoteTemplate = "suffix"
    """Who lays the prompt out: the server, from the field `suffix` (Ollama, team servers), or
    Surefill, for one that refuses it (vLLM, llama.cpp), by the model's family."""
    api_key_variable: str = ""
    """Name of the environment variable that holds the server's key. The key itself is no
    setting."""


@dataclass(frozen=True)
class OracleSettings:
    """The type checker that suggestions are measured against."""

    engine: OracleEngine = field(
        default="ty",
        metadata=_choices(
            ty="ty, which comes with the server. It reads your files and runs nothing of them.",
            pyrefly="pyrefly, where it is installed. It starts your environment's interpreter.",
            off="No type checker: suggestions are marked as not checked.",
        ),
    )
    """The type checker that suggestions in Python are measured against."""
    python: str = ""
    """The interpreter or virtual environment that your code runs in. Empty takes `VIRTUAL_ENV`, a
    `.venv` in the workspace, or the interpreter that runs Surefill."""
    servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Language servers to ask about other languages, a command for each language id:
    `{"typescript": ["tsc", "--lsp", "--stdio"]}`."""


@dataclass(frozen=True)
class DiagnosticsSettings:
    """What is reported in the editor's list of problems. Repairs are offered for what is."""

    syntax: bool = True
    """Report syntax errors, and offer repairs for them."""
    apis: bool = True
    """Report members, keyword arguments and imports that do not exist. Switch it off beside a type
    checker of your own."""


@dataclass(frozen=True)
class CheckSettings:
    """What the type checker is asked for the sake of suggestions."""

    guide: bool = True
    """Let the model write only members, keyword arguments and imports that exist."""
    types: bool = True
    """Show only what brings no new type error and names only what exists."""


@dataclass(frozen=True)
class SnippetSettings:
    """Calls in the completion menu."""

    enabled: bool = True
    """Offer calls with their arguments in the completion menu, after `receiver.` and after what can
    be called."""
    results: bool = True
    """Offer a call together with what is usually done with its result."""
    deadline_ms: int = _between(50, 60_000, 400)
    """Milliseconds after which the menu is given the calls found so far, or none."""


@dataclass(frozen=True)
class LogSettings:
    """What the editor's log shows."""

    level: LogLevel = "info"
    """What the server writes to the editor's log."""


@dataclass(frozen=True)
class Settings:
    """All settings. ``Settings()`` is a working configuration."""

    enabled: bool = True
    """Whether anything is suggested."""
    bundle: str = "default"
    """The model: `default` for the one that ships with the server, the name of a bundle in your
    data folder, or the folder of one. In a language that it was not trained for, suggestions come
    only when you ask for them."""
    disabled_languages: tuple[str, ...] = ()
    """Ids of languages in which nothing is suggested; their problems are still reported."""
    completion: CompletionSettings = CompletionSettings()
    context: ContextSettings = ContextSettings()
    engine: EngineSettings = EngineSettings()
    remote: RemoteSettings = RemoteSettings()
    oracle: OracleSettings = field(default_factory=OracleSettings)
    diagnostics: DiagnosticsSettings = DiagnosticsSettings()
    checks: CheckSettings = CheckSettings()
    snippets: SnippetSettings = SnippetSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def parse(cls, raw: object) -> tuple[Settings, list[str]]:
        """Settings from JSON, and a sentence for each value that was not used."""
        problems: list[str] = []
        if raw is None:
            return cls(), problems
        return _read_group(cls, raw, "surefill", problems), problems


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _read_group(group: type[Any], raw: object, path: str, problems: list[str]) -> Any:  # noqa: ANN401
    """An instance of the dataclass ``group`` from the JSON object ``raw``."""
    if not isinstance(raw, Mapping):
        problems.append(f"{path}: expected an object, got {_show(raw)}; using the defaults.")
        return group()
    hints = get_type_hints(group)
    known = {_camel(item.name): item for item in dataclasses.fields(group)}
    values: dict[str, object] = {}
    for key, value in raw.items():
        name = f"{path}.{key}"
        item = known.get(key)
        if item is None:
            if key not in _OF_CLIENTS:
                problems.append(f"{name}: unknown setting, ignored.")
        elif value is None:
            continue
        elif dataclasses.is_dataclass(hints[item.name]):
            values[item.name] = _read_group(hints[item.name], value, name, problems)
        else:
            problem = _problem(hints[item.name], item.metadata, value)
            if problem:
                default = _show(getattr(group(), item.name))
                problems.append(f"{name}: {problem}, got {_show(value)}; using {default}.")
            else:
                values[item.name] = _frozen(value)
    return group(**values)


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return value


def _problem(
    hint: Any,  # noqa: ANN401 - any type annotation
    metadata: types.MappingProxyType[Any, Any],
    value: object,
) -> str:
    """What is wrong with ``value`` for a field annotated ``hint``; empty when nothing is."""
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        valid = isinstance(value, str) and value in choices
        return "" if valid else "expected one of " + ", ".join(f'"{c}"' for c in choices)
    accepts, expected = _KINDS[hint]
    if not accepts(value):
        return f"expected {expected}"
    if metadata and not metadata["low"] <= value <= metadata["high"]:
        return f"expected a value from {metadata['low']:g} to {metadata['high']:g}"
    return ""


def _show(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_commands(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and _is_texts(each) and each and each[0] for key, each in value.items()
    )


_KINDS: dict[object, tuple[Callable[[object], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    str: (lambda value: isinstance(value, str), "a text"),
    int: (lambda value: isinstance(value, int) and _is_number(value), "a whole number"),
    float: (_is_number, "a number"),
    tuple[str, ...]: (_is_texts, "a list of texts"),
    Mapping[str, tuple[str, ...]]: (
        _is_commands,
        'a command as a list of texts for each language id, such as {"go": ["gopls"]}',
    ),
}
