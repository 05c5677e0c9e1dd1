"""What gets lost between a model's weights and the editor, place by place.

The raw model (transformers, fp32, its standard prompt, greedy) writes at places in ordinary
programs, with the rest of the program below and with nothing below; then the same weights do as
they are exported and served, one step more in each stage:

    raw           transformers, fp32, the model's standard prompt, greedy
    quantisation  the bundle's graph, the same prompt
    prompt        the prompt that the server lays out, without healing
    healing       the tokens at the cursor left to the model
    stop          the server's stop rules
    guide         only names that exist, where a type checker knows them
    checks        post-processing and checks, however unsure the model is; further tries
    policy        as shown unasked: the display filter, languages

A place counts as right where the whole missing line, or block, was written and no more on its
lines. What the raw model had right and the last stage has not is lost in the first stage after
which no later one has it right. The raw answers are kept in ``--cache``, for they take longest.

    python tests/benchmarks/served_loss.py BUNDLE --source FOLDER [--places 300]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from surefill.completion.loading import LoadedModel, load_model
from surefill.completion.pipeline import CompletionPipeline, CompletionRequest
from surefill.completion.policy import Decision, decide
from surefill.context.prompt import TEMPLATES, layout
from surefill.context.window import ContextBuilder
from surefill.engine.bundle import Bundle
from surefill.engine.interface import Cancellation, Prompt
from surefill.engine.interrupt import Interrupt
from surefill.oracle.service import OracleService
from surefill.settings import CompletionSettings, Settings
from surefill.syntax.cursor import Cursor
from surefill.syntax.document import Document, Snapshot
from surefill_training.evaluate.places import Place, draw_places
from surefill_training.evaluate.programs import load_programs

STAGES = ("raw", "quantisation", "prompt", "healing", "stop", "guide", "checks", "policy")
_LINE_TOKENS, _BLOCK_TOKENS = 48, 160
_SHOW_ALL = -1.0
"""A threshold that hides nothing, wherever the policy raises it."""


def main() -> None:
    """Measure one bundle against the weights that it was made of."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--source", type=Path, required=True, help="folder of the weights in fp32")
    parser.add_argument("--places", type=int, default=300)
    parser.add_argument("--languages", default="python", help="ids, separated by commas, or all")
    parser.add_argument("--cache", type=Path, help="where raw answers are kept between runs")
    parser.add_argument("--json", type=Path, help="write what each stage wrote at each place")
    arguments = parser.parse_args()
    languages = None if arguments.languages == "all" else arguments.languages.split(",")
    places = _places(arguments.places, languages)
    bundle = Bundle.load(arguments.bundle)
    written = {"raw": _raw(places, arguments.source, bundle, arguments.cache)}
    written |= _served(places, bundle)
    right = {
        stage: [_is_right(place, text) for place, text in zip(places, texts, strict=True)]
        for stage, texts in written.items()
    }
    _report(places, right)
    if arguments.json:
        rows = [
            {"place": place.id, "below": place.below, "truth": place.middle}
            | {stage: {"text": written[stage][n], "right": right[stage][n]} for stage in STAGES}
            for n, place in enumerate(places)
        ]
        arguments.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")


def _places(count: int, languages: Sequence[str] | None) -> list[Place]:
    programs = load_programs(languages=languages)
    each = -(-count // (2 * len(programs)))
    return draw_places(programs, seed=7, count=each)[:count]


def _is_block(place: Place) -> bool:
    return "\n" in place.middle.strip("\n")


def _extent(place: Place, text: str) -> str:
    """What of ``text`` belongs to the line, or the block, that is missing."""
    lead = len(text) - len(text.lstrip("\n")) if place.middle.startswith("\n") else 0
    lines = text[lead:].split("\n")
    if not _is_block(place):
        return text[:lead] + lines[0]
    first = place.middle.lstrip("\n").split("\n")
    depth = min(_indent(line) for line in first[1:] if line.strip())
    kept = [lines[0]]
    for line in lines[1:]:
        if line.strip() and _indent(line) < depth:
            break
        kept.append(line)
    return text[:lead] + "\n".join(kept)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_right(place: Place, text: str) -> bool:
    return _comparable(_extent(place, text)) == _comparable(place.middle)


def _comparable(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def _finished(place: Place, text: str) -> bool:
    """Whether no more of ``text`` can count."""
    return len(_extent(place, text)) < len(text) and bool(text.strip())


def _standard(place: Place, bundle: Bundle) -> tuple[str, str | None]:
    """Prefix and suffix of the model's standard prompt; no suffix for a plain one."""
    infills = TEMPLATES[bundle.manifest.prompt.template].infills
    return place.prefix, place.suffix if infills and place.suffix.strip() else None


def _raw(places: Sequence[Place], source: Path, bundle: Bundle, cache: Path | None) -> list[str]:
    prompts = [_standard(place, bundle) for place in places]
    digest = hashlib.sha256(
        json.dumps([str(source.resolve()), prompts, bundle.manifest.prompt.order]).encode()
    )
    kept = cache / f"{digest.hexdigest()[:16]}.json" if cache else None
    if kept is not None and kept.is_file():
        found: list[str] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    texts = _transformers(places, prompts, source, bundle)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(texts), encoding="utf-8")
    return texts


def _transformers(
    places: Sequence[Place],
    prompts: Sequence[tuple[str, str | None]],
    source: Path,
    bundle: Bundle,
) -> list[str]:
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).eval()
    template = TEMPLATES[bundle.manifest.prompt.template]
    ends = {tokenizer.token_to_id(end) for end in template.ends}

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    texts = []
    for number, (place, (prefix, suffix)) in enumerate(zip(places, prompts, strict=True)):
        ids = layout(
            template,
            "psm",
            tokenizer.token_to_id,
            encode(prefix),
            None if suffix is None else encode(suffix),
        )
        texts.append(_write(model, ids, place, ends, tokenizer.decode))
        _progress("raw", number, len(places))
    return texts


def _write(
    model: Callable[..., object],
    ids: list[int],
    place: Place,
    ends: set[int],
    decode: Callable[[list[int]], str],
) -> str:
    """Greedy tokens of a transformers model."""
    import torch

    past, new, step = None, [], torch.tensor([ids])
    with torch.inference_mode():
        for _ in range(_BLOCK_TOKENS if _is_block(place) else _LINE_TOKENS):
            out = model(input_ids=step, past_key_values=past, use_cache=True, logits_to_keep=1)
            past = out.past_key_values  # type: ignore[attr-defined]
            token = int(out.logits[0, -1].argmax())  # type: ignore[attr-defined]
            if token in ends:
                break
            new.append(token)
            text = decode(new)
            if _finished(place, text):
                break
            step = torch.tensor([[token]])
    return decode(new)


@dataclass(frozen=True)
class _Asked:
    """A place as the server sees it."""

    place: Place
    snapshot: Snapshot
    cursor: Cursor
    decision: Decision

    @classmethod
    def at(cls, place: Place) -> _Asked:
        uri = f"file:///programs/{place.program.language_id}/{place.program.name}"
        snapshot = Document(uri, place.program.language, place.document).snapshot()
        cursor = Cursor.at(snapshot, place.position)
        decision = decide(
            snapshot,
            place.position,
            cursor,
            explicit=_is_block(place),
            settings=CompletionSettings(),
        )
        return cls(place, snapshot, cursor, decision)


def _served(places: Sequence[Place], bundle: Bundle) -> dict[str, list[str]]:
    settings = Settings(bundle=str(bundle.path))
    model = load_model(settings)
    checker = OracleService()
    checker.configure(replace(settings.oracle, python=sys.executable), [Path("/programs")])
    written: dict[str, list[str]] = {stage: [] for stage in STAGES[1:]}
    try:
        stages = _Stages(model, bundle, settings, checker)
        for number, place in enumerate(places):
            for stage, text in stages.of(_Asked.at(place)).items():
                written[stage].append(text)
            _progress("served", number, len(places))
    finally:
        checker.close(5.0)
        model.engine.close()
    return written


class _Stages:
    """Asks one bundle at a place in every stage."""

    def __init__(
        self, model: LoadedModel, bundle: Bundle, settings: Settings, checker: OracleService
    ) -> None:
        self._model = model
        self._bundle = bundle
        self._checker = checker
        self._ends = {model.context.tokenizer.special(end) for end in bundle.manifest.prompt.ends}
        manifest = bundle.manifest
        self._unhealed = ContextBuilder(
            model.context.tokenizer,
            model.context.template,
            manifest.prompt.order,
            manifest.context_length,
            per_line=manifest.tokenizer.per_line,
            extends=None,
            takes_related=manifest.prompt.related,
        )
        everything = replace(settings.completion, min_confidence=_SHOW_ALL)
        self._all = self._pipeline(replace(settings, completion=everything))
        self._default = self._pipeline(settings)

    def _pipeline(self, settings: Settings) -> CompletionPipeline:
        model = self._model
        return CompletionPipeline(
            model.context,
            settings,
            oracle=self._checker,
            languages=model.languages,
            display=model.display,
        )

    def of(self, asked: _Asked) -> dict[str, str]:
        context = self._model.context
        healed = self._build(context, asked)
        uri = asked.snapshot.uri
        language = asked.place.program.language_id
        self._checker.tell(language, lambda each: each.open(uri, asked.place.document))
        try:
            return {
                "quantisation": self._greedy(self._standard(asked.place), asked.place),
                "prompt": self._greedy(self._build(self._unhealed, asked).ids, asked.place),
                "healing": self._generate(healed, asked, stop=False),
                "stop": self._generate(healed, asked, stop=True),
                "guide": self._guided(asked),
                "checks": self._shown(self._all, asked),
                "policy": self._shown(self._default, asked),
            }
        finally:
            self._checker.tell(language, lambda each: each.close_document(uri))

    def _standard(self, place: Place) -> Sequence[int]:
        tokenizer = self._model.context.tokenizer
        prefix, suffix = _standard(place, self._bundle)
        return layout(
            self._model.context.template,
            "psm",
            tokenizer.special,
            tokenizer.encode(prefix),
            None if suffix is None else tokenizer.encode(suffix),
        )

    def _build(self, context: ContextBuilder, asked: _Asked) -> Prompt:
        decision, place = asked.decision, asked.place
        return context.build(
            asked.snapshot, place.position, asked.cursor, decision.max_new_tokens or _LINE_TOKENS
        )

    def _greedy(self, ids: Sequence[int], place: Place) -> str:
        """What the graph writes by itself: no rule decides anything."""
        session, decode = self._model.engine.session, self._model.context.tokenizer.decode
        interrupt, new = Interrupt(), list[int]()
        logits, _ = session.prefill(list(ids), interrupt)
        for _ in range(_BLOCK_TOKENS if _is_block(place) else _LINE_TOKENS):
            token = int(np.argmax(logits))
            if token in self._ends:
                break
            new.append(token)
            if _finished(place, decode(new)):
                break
            logits = session.extend([token], interrupt)[-1]
        return decode(new)

    def _generate(self, prompt: Prompt, asked: _Asked, *, stop: bool) -> str:
        place = asked.place
        rule = asked.decision.stop if stop else None

        def enough(text: str) -> int | None:
            return len(text) if _finished(place, text) else None

        generation = self._model.engine.generate(
            prompt,
            max_new_tokens=_BLOCK_TOKENS if _is_block(place) else _LINE_TOKENS,
            stop=rule or enough,
        )
        return generation.candidates[0].text

    def _guided(self, asked: _Asked) -> str:
        """The first candidate as the pipeline gets it, before anything is cut or refused."""
        seen: list[str] = []
        self._ask(self._all, asked, _Watching(self._model.engine, seen))
        return seen[0] if seen else ""

    def _shown(self, pipeline: CompletionPipeline, asked: _Asked) -> str:
        return self._ask(pipeline, asked, self._model.engine)

    def _ask(self, pipeline: CompletionPipeline, asked: _Asked, engine: object) -> str:
        place = asked.place
        request = CompletionRequest(
            asked.snapshot,
            place.position,
            explicit=_is_block(place),
            deadline_ms=60_000,
            language_id=place.program.language_id,
        )
        result = pipeline.complete(request, engine, Cancellation())  # type: ignore[arg-type]
        pipeline.forget(asked.snapshot.uri)
        return result.suggestions[0].text if result.suggestions else ""


class _Watching:
    """An engine that notes what it wrote first."""

    def __init__(self, engine: object, seen: list[str]) -> None:
        self._engine = engine
        self._seen = seen

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def generate(self, prompt: Prompt, **asked: object) -> object:
        generation = self._engine.generate(prompt, **asked)  # type: ignore[attr-defined]
        self._seen.append(generation.candidates[0].text)
        return generation


def _report(places: Sequence[Place], right: dict[str, list[bool]]) -> None:
    count = len(places)
    print(f"{count} places in {len({place.program.id for place in places})} programs")
    print(f"{'stage':14}{'right':>7}{'lost here':>11}{'won here':>10}")
    lost = Counter(_lost_in([right[stage][n] for stage in STAGES]) for n in range(count))
    for number, stage in enumerate(STAGES):
        won = sum(
            right[stage][n] and not any(right[earlier][n] for earlier in STAGES[:number])
            for n in range(count)
        )
        gone = lost[stage] if number else 0
        print(
            f"{stage:14}{sum(right[stage]):>4} {100 * sum(right[stage]) / count:3.0f}%"
            f"{gone:>8}{won if number else 0:>10}"
        )
    for name, chosen in (
        ("code below", [n for n in range(count) if places[n].below]),
        ("nothing below", [n for n in range(count) if not places[n].below]),
        ("blocks", [n for n in range(count) if _is_block(places[n])]),
    ):
        raw, last = (sum(right[stage][n] for n in chosen) for stage in (STAGES[0], STAGES[-1]))
        print(f"{name}: raw {raw}, served {last} of {len(chosen)}")


def _lost_in(stages: Sequence[bool]) -> str | None:
    """The stage after the last one that had it right, for what the raw model had."""
    if not stages[0] or stages[-1]:
        return None
    last = max(n for n, each in enumerate(stages) if each)
    return STAGES[last + 1]


def _progress(what: str, number: int, count: int) -> None:
    if number % 10 == 9 or number + 1 == count:
        print(f"\r{what} {number + 1}/{count} {time.strftime('%H:%M:%S')}", end="", file=sys.stderr)
        if number + 1 == count:
            print(file=sys.stderr)


if __name__ == "__main__":
    main()
