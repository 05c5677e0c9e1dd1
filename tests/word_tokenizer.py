"""A tokenizer made on the spot, for tests of what is built from tokens."""

import re

from surefill.context.prompt import TEMPLATES

QWEN = TEMPLATES["qwen2.5-coder"]


class WordTokenizer:
    """A word, a run of spaces or any other character is a token; special tokens are apart."""

    pattern = r"\w+| +|."

    def __init__(self):
        self.words = list(QWEN.special_tokens())
        self.encoded = 0

    def encode(self, text):
        self.encoded += len(text)
        parts = re.findall(self.pattern, text, re.DOTALL)
        self.words += [part for part in dict.fromkeys(parts) if part not in self.words]
        return [self.words.index(part) for part in parts]

    def decode(self, ids):
        return "".join(self.words[i] for i in ids)

    def special(self, token):
        return self.words.index(token)
