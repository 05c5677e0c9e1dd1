"""Runs a bundle's graph: token ids in, logits out, with KV caches that remember their tokens.

Knows ids and tensors; neither text nor sampling. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from surefill.engine.bundle import Bundle
from surefill.engine.interrupt import Interrupt, Interrupted
from surefill.engine.runtime import import_onnxruntime, open_session
from surefill.errors import BundleError, EngineError

if TYPE_CHECKING:
    import onnxruntime as ort

    from surefill.engine.kv import Cache

Logits = npt.NDArray[np.float32]
Provider = Literal["auto", "cpu", "cuda"]

POSITIONS = "logit_positions"
_ROWS = 4
"""Kernels take this many rows at a time, and round a lone row differently."""
_MOST_SLOTS = 2
"""For prompts with what stands below and without it, which share nothing, or for two documents."""
_WORTH_KEEPING = 0.25
"""Of a prompt or of what a slot holds, so much is in common where that is built upon. A guess."""


class Session(Protocol):
    """What decoding needs of a model: logits of shape [..., vocabulary] behind tokens."""

    vocab_size: int
    context_length: int
    provider_note: str

    @property
    def provider(self) -> str: ...

    @property
    def tokens(self) -> list[int]: ...

    def select(self, ids: Sequence[int]) -> int: ...

    def prefill(
        self, ids: Sequence[int], interrupt: Interrupt, *, chunk: int | None = None
    ) -> tuple[Logits, int]: ...

    def extend(self, ids: Sequence[int], interrupt: Interrupt) -> Logits: ...

    def rewind(self, length: int) -> None: ...

    def fork(self, batch: int, length: int, extra: int) -> SessionBranches: ...

    def close(self) -> None: ...


class SessionBranches(Protocol):
    """Several continuations of one prompt."""

    def extend(self, ids: Sequence[int], interrupt: Interrupt) -> Logits: ...


@dataclass(eq=False)
class _Slot:
    """A KV cache and the tokens whose keys and values it holds."""

    cache: Cache
    tokens: list[int] = field(default_factory=list)


class ModelSession:
    """One loaded model and its KV caches, one of which is in use.

    ``tokens`` are the ids whose keys and values that one holds. ``prefill`` turns to the cache
    that suits a new prompt and keeps their longest common prefix; ``extend`` appends; ``rewind``
    forgets from the end.
    """

    def __init__(
        self,
        bundle: Bundle,
        provider: Provider = "auto",
        threads: int | None = None,
        *,
        chunk: int = 128,
    ) -> None:
        if chunk < 2 * _ROWS or chunk % _ROWS:
            raise EngineError(
                f"The prefill chunk must be a multiple of {_ROWS}, and at least twice."
            )
        of_integers = bundle.manifest.precision == "w8a8"
        opened = open_session(bundle.model_path, provider, threads, for_cpu=of_integers)
        from surefill.engine import kv  # imports onnxruntime

        self._runtime = import_onnxruntime()
        self._session: ort.InferenceSession | None = opened.session
        self.provider = opened.provider
        self.provider_note = opened.note
        self.context_length = bundle.manifest.context_length
        self._chunk = chunk
        self._inputs = {item.name: item for item in self._session.get_inputs()}
        self.vocab_size = _check_graph(self._session, self._inputs, bundle)
        kind = kv.SharedCache if bundle.manifest.kv.layout == "shared" else kv.ConcatCache
        device = kv.Device("cuda" if self.provider == "cuda" else "cpu")
        shape, capacity = bundle.manifest.kv, self.context_length
        self._new_cache: Callable[[], Cache] = lambda: kind(shape, device, capacity)
        self._slots = [_Slot(self._new_cache())]
        """The one in use first, then in the order of their last use."""

    @property
    def tokens(self) -> list[int]:
        return self._slots[0].tokens

    def select(self, ids: Sequence[int]) -> int:
        """Turn to the cache to build ``ids`` upon; returns how many tokens it has of them.

        That is the one that has most of them, unless little of it could be kept: then an empty one,
        which may be the one that was used longest ago.
        """
        shared = [common_prefix(slot.tokens, ids) for slot in self._slots]
        index = max(range(len(shared)), key=shared.__getitem__)
        slot = self._slots[index]
        if shared[index] < _WORTH_KEEPING * min(len(ids), len(slot.tokens)):
            slot = self._empty_slot()
        self._slots.remove(slot)
        self._slots.insert(0, slot)
        return common_prefix(slot.tokens, ids)

    def _empty_slot(self) -> _Slot:
        for slot in self._slots:
            if not slot.tokens:
                return slot
        if len(self._slots) < _MOST_SLOTS:
            self._slots.append(_Slot(self._new_cache()))
        self._slots[-1].tokens.clear()
        return self._slots[-1]

    def prefill(
        self, ids: Sequence[int], interrupt: Interrupt, *, chunk: int | None = None
    ) -> tuple[Logits, int]:
        """Bring the cache to ``ids``; returns the logits behind its last token, and the reuse.

        Logits are [vocabulary]; reuse is the number of tokens that were not forwarded again. Raises
        Interrupted, after which the cache holds the chunks that were complete, of ``chunk`` tokens
        where the session's own size is not wanted.
        """
        if not ids:
            raise EngineError("The prompt is empty.")
        if len(ids) > self.context_length:
            raise EngineError(
                f"The prompt has {len(ids)} tokens and the model's context holds "
                f"{self.context_length}.",
                "Shorten the prompt.",
            )
        if min(ids) < 0 or max(ids) >= self.vocab_size:
            raise EngineError("The prompt has tokens that the model does not know.")
        # The last token's logits are not kept, so it is forwarded again; and with it the few that
        # share its kernel's tile of rows, so that reuse rounds as a prefill from scratch does.
        reused = max(0, min(self.select(ids), len(ids) - 2)) // _ROWS * _ROWS
        self.rewind(reused)
        for start, end in _chunks(reused, len(ids), chunk or self._chunk):
            logits = self.extend(ids[start:end], interrupt, last_only=True)
        return logits[-1], reused

    def extend(
        self, ids: Sequence[int], interrupt: Interrupt, *, last_only: bool = False
    ) -> Logits:
        """Append ``ids`` to the cache; returns logits behind each of them, [len(ids), vocabulary].

        ``last_only`` computes them for the last one only: [1, vocabulary].
        """
        positions = [len(ids) - 1] if last_only else list(range(len(ids)))
        cache, past = self._slots[0].cache, len(self.tokens)
        try:
            logits = self._run(cache, np.array([ids], np.int64), past, positions, interrupt)
        except EngineError:
            # What a failing run leaves in the buffers is not known.
            self.tokens.clear()
            raise
        self.tokens.extend(ids)
        behind: Logits = logits[0]
        return behind

    def rewind(self, length: int) -> None:
        """Forget all but the first ``length`` tokens."""
        del self.tokens[length:]

    def forget(self) -> None:
        """Forget everything, in all caches."""
        for slot in self._slots:
            slot.tokens.clear()

    def fork(self, batch: int, length: int, extra: int) -> Branches:
        """``batch`` independent continuations of the first ``length`` cached tokens."""
        return Branches(self, self._slots[0].cache.fork(batch, length, extra), length)

    def close(self) -> None:
        """Free the model and its cache."""
        self._session = None
        self._slots = []

    def _run(
        self,
        cache: Cache,
        ids: npt.NDArray[np.int64],
        past: int,
        positions: list[int],
        interrupt: Interrupt,
    ) -> Logits:
        """One forward of ``ids`` [batch, time]; logits [batch, len(positions), vocabulary]."""
        if self._session is None:
            raise EngineError("The engine is closed.")
        batch, time = ids.shape
        if past + time > cache.capacity:
            raise EngineError(
                f"The model's context of {self.context_length} tokens is full.",
                "Shorten the prompt.",
            )
        binding = self._session.io_binding()
        feeds = {
            "input_ids": ids,
            "attention_mask": np.ones((batch, past + time), np.int64),
            "position_ids": np.tile(np.arange(past, past + time, dtype=np.int64), (batch, 1)),
            POSITIONS: np.array(positions, np.int64),
        }
        for name, array in feeds.items():
            if name in self._inputs:
                binding.bind_cpu_input(name, array)
        binding.bind_output("logits", "cpu")
        cache.bind(binding, past)
        options = self._runtime.RunOptions()
        # Interrupted runs are expected; their error need not reach the log.
        options.log_severity_level = 4
        try:
            with interrupt.running(options):
                self._session.run_with_iobinding(binding, options)
        except Interrupted:
            raise
        except Exception as error:  # onnxruntime raises a dozen unrelated kinds
            if interrupt.tripped:
                raise Interrupted from error
            raise EngineError(f"The model failed: {error}") from error
        logits: Logits = binding.get_outputs()[0].numpy()
        cache.collect(binding)
        if POSITIONS not in self._inputs:
            logits = logits[:, positions]
        return logits.astype(np.float32, copy=False)


class Branches:
    """Several continuations of one prompt, forwarded together one token at a time."""

    def __init__(self, session: ModelSession, cache: Cache, length: int) -> None:
        self._session = session
        self._cache = cache
        self._length = length

    def extend(self, ids: Sequence[int], interrupt: Interrupt) -> Logits:
        """Append one token to each branch; returns logits [batch, vocabulary]."""
        column = np.array(ids, np.int64)[:, None]
        logits = self._session._run(self._cache, column, self._length, [0], interrupt)
        self._length += 1
        return logits[:, 0]


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Number of leading ids that are equal."""
    length = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        length += 1
    return length


def _chunks(start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut start..end at multiples of ``size``, wherever it starts, and leave no row alone."""
    while start < end:
        stop = min(end, (start // size + 1) * size)
        if end - stop == 1:
            stop = stop - _ROWS if stop - start > _ROWS else end
        yield start, stop
        start = stop


def _check_graph(
    session: ort.InferenceSession, inputs: dict[str, ort.NodeArg], bundle: Bundle
) -> int:
    """Check that the graph is the one the manifest describes; returns its vocabulary size."""
    from surefill.engine.kv import key_value_names  # imports onnxruntime

    kv = bundle.manifest.kv
    outputs = {item.name: item for item in session.get_outputs()}
    pairs = key_value_names(kv.layers)
    wanted_inputs = {"input_ids", "attention_mask", *(past for past, _ in pairs)}
    wanted_outputs = {"logits", *(present for _, present in pairs)}
    known = wanted_inputs | {"position_ids", POSITIONS}
    missing = (wanted_inputs - set(inputs)) | (wanted_outputs - set(outputs))
    if missing or set(inputs) - known:
        strange = sorted(missing or set(inputs) - known)[0]
        raise BundleError(
            f"The model in {bundle.path} is not the one that its manifest describes ({strange}).",
            "Make the bundle again with `surefill-train bundle`.",
        )
    dims = inputs[pairs[0][0]].shape
    kind = "tensor(float16)" if kv.dtype == "float16" else "tensor(float)"
    if (dims[1], dims[3]) != (kv.kv_heads, kv.head_size) or inputs[pairs[0][0]].type != kind:
        raise BundleError(
            f"The model in {bundle.path} has a KV cache other than its manifest says.",
            "Make the bundle again with `surefill-train bundle`.",
        )
    vocabulary = outputs["logits"].shape[-1]
    if not isinstance(vocabulary, int):
        raise BundleError(f"The model in {bundle.path} does not state its vocabulary size.")
    return vocabulary
