"""Settings in, a model ready to serve out: the engine and the context builder that fits it.

The one place that joins a bundle's manifest, its tokenizer and its prompt template. Blocks for as
long as loading takes; the imports are inside because starting needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from surefill.errors import BundleError

if TYPE_CHECKING:
    from surefill.completion.feed import Memory
    from surefill.context.window import ContextBuilder
    from surefill.engine.interface import Engine
    from surefill.settings import Settings

_REMOTE_CHARACTERS = 8_192
"""How much text a remote model is sent: about 2,000 tokens, which all of them can take."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in service. Whoever loads it closes ``engine``."""

    engine: Engine
    context: ContextBuilder
    name: str
    version: str
    provider: str
    note: str = ""
    """Why it is this provider, where that is not what was asked for."""
    languages: tuple[str, ...] = ()
    """Those that it was trained for."""
    memory: Memory | None = None


def load_model(settings: Settings) -> LoadedModel:
    """The model that ``settings`` ask for; raises BundleError, EngineError or SettingsError."""
    return _remote(settings) if settings.engine.kind == "remote" else _local(settings)


def _local(settings: Settings) -> LoadedModel:
    from surefill.context.prompt import TEMPLATES
    from surefill.context.window import ContextBuilder
    from surefill.engine.bundle import Bundle, find_bundle
    from surefill.engine.decode import open_engine

    bundle = Bundle.load(find_bundle(settings.bundle))
    manifest = bundle.manifest
    template = TEMPLATES.get(manifest.prompt.template)
    if template is None:
        raise BundleError(
            f"The bundle at {bundle.path} has the prompt template {manifest.prompt.template}, "
            "which this version does not know.",
            "Use a newer Surefill, or another bundle.",
        )
    engine = open_engine(bundle, settings.engine.provider, settings.engine.threads or None)
    # Some tokenizers drop a leading space when they decode a token by itself.
    keeps_spaces = engine.tokenizer.decode(engine.tokenizer.encode(" a")) == " a"
    context = ContextBuilder(
        engine.tokenizer,
        template,
        manifest.prompt.order,
        manifest.context_length,
        per_line=manifest.tokenizer.per_line,
        extends=engine.texts.extends if keeps_spaces else None,
        takes_related=manifest.prompt.related,
    )
    return LoadedModel(
        engine=engine,
        context=context,
        name=manifest.name,
        version=manifest.version,
        provider=engine.session.provider,
        note=engine.session.provider_note,
        languages=manifest.languages,
    )


def _remote(settings: Settings) -> LoadedModel:
    from surefill.context.prompt import TEMPLATES
    from surefill.context.window import ContextBuilder
    from surefill.engine.remote import PlainTokenizer, RemoteEngine
    from surefill.engine.remote_http import Endpoint

    remote = settings.remote
    # Where the other side lays the prompt out, any template that infills makes us send the suffix.
    template = TEMPLATES[remote.template if remote.template != "suffix" else "qwen2.5-coder"]
    endpoint = Endpoint(remote.url, remote.model, remote.api_key_variable)
    engine = RemoteEngine(endpoint, None if remote.template == "suffix" else template)
    # Other files than the one being edited stay on this machine.
    context = ContextBuilder(
        PlainTokenizer(), template, "psm", _REMOTE_CHARACTERS, takes_related=False
    )
    return LoadedModel(engine, context, remote.model or "remote", "", "remote")
