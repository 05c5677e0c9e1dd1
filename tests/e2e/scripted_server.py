"""``surefill lsp`` with a model whose behaviour the document spells out, deterministic and instant.

The last line ``# model: WORD TEXT`` before the cursor decides: ``answer TEXT`` suggests TEXT, in
which a backslash and an n are a line end, ``hang`` generates until it is stopped, ``once TEXT``
suggests TEXT and after that does the same, ``refuse`` raises an expected error and ``crash`` an
unexpected one; ``sees TEXT`` and ``knows TEXT`` suggest True where TEXT stands in an excerpt of
another file or in the memory, ``counts`` how many files that holds. The setting "bundle" names the
model; a name with a path in it is a file to wait for before loading ends, and
SUREFILL_TEST_LOADER=missing|crash makes loading fail. With SUREFILL_TEST_READS=1 the model reads
ahead, and each reading lasts until it is ended.
"""

import os
import re
import signal
import sys
import time
from pathlib import Path

from surefill.completion.loading import LoadedModel
from surefill.context.prompt import TEMPLATES
from surefill.context.window import ContextBuilder
from surefill.engine.interface import Candidate, Generation, GenerationTimings, Reading
from surefill.errors import BundleError, EngineError, RuntimeMissingError
from surefill.lsp.run import serve_stdio
from surefill.lsp.server import create_server

_DIRECTIVE = re.compile(r"# model: (\w+) ?(.*)\n")
_FIRST_SPECIAL = 0x110000


class Characters:
    """A tokenizer with one token per character."""

    def __init__(self, template):
        self._special = {
            token: _FIRST_SPECIAL + n for n, token in enumerate(template.special_tokens())
        }

    def encode(self, text):
        return [ord(character) for character in text]

    def encode_line(self, line):
        return tuple(self.encode(line))

    def decode(self, ids):
        return "".join(chr(each) for each in ids if each < _FIRST_SPECIAL)

    def special(self, token):
        return self._special[token]


class PlainMemory:
    """Remembers texts as they are."""

    def __init__(self):
        self.texts = {}

    def update(self, uri, text):
        self.texts[uri] = text

    def remove(self, uri):
        self.texts.pop(uri, None)


class ScriptedEngine:
    def __init__(self, memory):
        self.memory = memory

    def guided_by(self, rules, *, wanted):
        return None

    def generate(self, prompt, *, max_new_tokens, stop=None, guide=None, cancel=None, n=1):
        word, text = (_DIRECTIVE.findall(prompt.prefix) or [("answer", "")])[-1]
        text = text.replace("\\n", "\n")
        if word == "refuse":
            raise EngineError("The scripted model refuses.")
        if word == "crash":
            raise ZeroDivisionError("the scripted model crashes")
        if word == "sees":
            whole = "".join(chr(each) for each in prompt.ids if each < _FIRST_SPECIAL)
            text = str(whole.count(text) > (prompt.prefix + prompt.suffix).count(text))
        elif word == "knows":
            texts = [known for known in list(self.memory.texts.values()) if "# model:" not in known]
            text = str(any(text in known for known in texts))  # the question itself is known, too
        elif word == "counts":
            text = str(len(self.memory.texts))
        elif word == "once" and prompt.prefix.endswith(text):
            word, text = "hang", ""
        generated = len(text)
        reason = "end"
        while word == "hang":
            generated += 1
            time.sleep(0.001)
            if cancel is not None and (cancel.cancelled or cancel.expired):
                reason = "cancelled" if cancel.cancelled else "deadline"
                break
        print("noise on stdout from the model")  # noqa: T201
        os.write(1, b"noise from native code\n")
        # Without probabilities: what is scripted is shown.
        candidate = Candidate(text, (), (), reason)
        timings = GenerationTimings(0.0, 0.0, len(prompt.ids), 0, generated)
        return Generation((candidate,), timings)

    def close(self):
        pass


class ReadingEngine(ScriptedEngine):
    """Also reads prompts ahead, each until something ends it."""

    def read(self, prompt, cancel):
        while not cancel.cancelled:
            time.sleep(0.001)
        return Reading(len(prompt.ids), 1, complete=False)


def load(settings):
    fault = os.environ.get("SUREFILL_TEST_LOADER")
    if fault == "missing":
        raise RuntimeMissingError("No runtime is installed.", "Run `pip install surefill[cpu]`.")
    if fault == "crash":
        raise MemoryError("no room for the model")
    if settings.bundle == "broken":
        raise BundleError("The bundle is broken.", "Choose another.")
    while "/" in settings.bundle and not Path(settings.bundle).exists():
        time.sleep(0.005)
    template = TEMPLATES["qwen2.5-coder"]
    context = ContextBuilder(Characters(template), template, "spm", 2048)
    memory = PlainMemory()
    engine = ReadingEngine if os.environ.get("SUREFILL_TEST_READS") else ScriptedEngine
    return LoadedModel(
        engine(memory),
        context,
        settings.bundle,
        "1",
        "scripted",
        languages=("python",),
        memory=memory,
    )


if __name__ == "__main__":
    # Background jobs of a shell ignore interrupts, and so would the server of their tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(serve_stdio(lambda: create_server(load)))
