"""Settings in, a model ready to serve out: the engine and the context builder that fits it.

The one place that joins a bundle's manifest, its tokenizer and its prompt template. Blocks for as
long as loading takes; the imports are inside because starting needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from surefill.errors import BundleError

if TYPE_CHECKING:
    from surefill.completion.display_filter import MakeFilter
    from surefill.completion.memory import ProjectMemory
    from surefill.context.prompt import PromptTemplate
    from surefill.context.window import ContextBuilder
    from surefill.engine.bundle import Bundle
    from surefill.engine.decode import LocalEngine
    from surefill.engine.display import DisplayWeights
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
    """Those that it was trained for; empty where that is all, or not known."""
    memory: ProjectMemory | None = None
    """What is known of the project's other files; None where the engine blends nothing in."""
    display: MakeFilter = field(default_factory=lambda: _display_filter(None))


def load_model(settings: Settings) -> LoadedModel:
    """The model that ``settings`` ask for; raises BundleError, EngineError or SettingsError."""
    return _remote(settings) if settings.engine.kind == "remote" else _local(settings)


def _local(settings: Settings) -> LoadedModel:
    from surefill.completion.memory import open_memory
    from surefill.engine.bundle import Bundle, find_bundle
    from surefill.engine.decode import open_engine

    bundle = Bundle.load(find_bundle(settings.bundle))
    manifest = bundle.manifest
    _template_of(bundle)  # an unknown one is found before the model is loaded
    engine = open_engine(
        bundle,
        settings.engine.provider,
        settings.engine.threads or None,
        ngrams=settings.completion.blend,
    )
    memory = None
    if engine.blend is not None:
        per_line = manifest.tokenizer.per_line
        memory = open_memory(engine.blend.cache, bundle.tokenizer_path, per_line=per_line)
    return LoadedModel(
        engine=engine,
        context=context_for(bundle, engine, counts=engine.blend is not None),
        name=manifest.name,
        version=manifest.version,
        provider=engine.session.provider,
        note=engine.session.provider_note,
        languages=manifest.trained_for,
        memory=memory,
        display=_display_filter(manifest.display),
    )


def context_for(bundle: Bundle, engine: LocalEngine, *, counts: bool = False) -> ContextBuilder:
    """Builds a bundle's prompts; with ``counts`` they name the tokens that n-grams are counted in.

    Raises BundleError for a prompt template that is not known.
    """
    from surefill.context.window import ContextBuilder

    manifest = bundle.manifest
    # Some tokenizers drop a leading space when they decode a token by itself.
    keeps_spaces = engine.tokenizer.decode(engine.tokenizer.encode(" a")) == " a"
    return ContextBuilder(
        engine.tokenizer,
        _template_of(bundle),
        manifest.prompt.order,
        manifest.context_length,
        per_line=manifest.tokenizer.per_line,
        extends=engine.texts.extends if keeps_spaces else None,
        takes_related=manifest.prompt.related,
        counts=counts,
    )


def _display_filter(weights: DisplayWeights | None) -> MakeFilter:
    from surefill.completion.display_filter import DisplayFilter, filter_for_any_model

    return partial(DisplayFilter, weights) if weights else filter_for_any_model


def _template_of(bundle: Bundle) -> PromptTemplate:
    from surefill.context.prompt import TEMPLATES

    name = bundle.manifest.prompt.template
    if name not in TEMPLATES:
        raise BundleError(
            f"The bundle at {bundle.path} has the prompt template {name}, "
            "which this version does not know.",
            "Use a newer Surefill, or another bundle.",
        )
    return TEMPLATES[name]


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
