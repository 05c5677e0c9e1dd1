"""Fill-in-the-middle prompt templates as data, and the one function that lays a prompt out.

Training and serving both build their prompts here. Knows token ids and nothing of documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Order = Literal["psm", "spm"]
"""Prefix-suffix-middle, or suffix-prefix-middle."""


@dataclass(frozen=True)
class PromptTemplate:
    """The special tokens of one model family; an empty string means it has no such token."""

    name: str
    prefix: str = ""
    suffix: str = ""
    middle: str = ""
    repo_name: str = ""
    file_sep: str = ""
    ends: tuple[str, ...] = ()
    """Tokens that end a completion; the first is the one that training writes."""
    begin: str = ""
    """Token in front of every prompt."""

    @property
    def infills(self) -> bool:
        return bool(self.middle)

    def special_tokens(self) -> tuple[str, ...]:
        """All tokens that this template names, without duplicates, in a stable order."""
        named = (
            self.begin,
            *self.ends,
            self.prefix,
            self.suffix,
            self.middle,
            self.repo_name,
            self.file_sep,
        )
        return tuple(dict.fromkeys(token for token in named if token))


TEMPLATES: dict[str, PromptTemplate] = {
    template.name: template
    for template in (
        PromptTemplate(
            name="qwen2.5-coder",
            prefix="<|fim_prefix|>",
            suffix="<|fim_suffix|>",
            middle="<|fim_middle|>",
            repo_name="<|repo_name|>",
            file_sep="<|file_sep|>",
            ends=("<|endoftext|>",),
        ),
        PromptTemplate(
            name="starcoder2",
            prefix="<fim_prefix>",
            suffix="<fim_suffix>",
            middle="<fim_middle>",
            repo_name="<repo_name>",
            file_sep="<file_sep>",
            ends=("<|endoftext|>",),
        ),
        PromptTemplate(
            name="codellama",
            prefix="▁<PRE>",
            suffix="▁<SUF>",
            middle="▁<MID>",
            ends=("▁<EOT>", "</s>"),
            begin="<s>",
        ),
        PromptTemplate(
            name="deepseek-coder",
            prefix="<｜fim▁begin｜>",
            suffix="<｜fim▁hole｜>",
            middle="<｜fim▁end｜>",
            ends=("<｜end▁of▁sentence｜>",),
            begin="<｜begin▁of▁sentence｜>",
        ),
        PromptTemplate(
            name="codegemma",
            prefix="<|fim_prefix|>",
            suffix="<|fim_suffix|>",
            middle="<|fim_middle|>",
            file_sep="<|file_separator|>",
            ends=("<|file_separator|>", "<eos>"),
            begin="<bos>",
        ),
        PromptTemplate(name="plain", ends=("<|endoftext|>",)),
    )
}


def layout(
    template: PromptTemplate,
    order: Order,
    special: Callable[[str], int],
    prefix: Sequence[int],
    suffix: Sequence[int] | None,
    *,
    related: Sequence[Sequence[int]] = (),
) -> list[int]:
    """Token ids of a prompt, up to the place where the middle begins.

    A ``suffix`` of None asks for no infilling: the text is continued left to right.

    ``special`` maps a special token's text to its id. In suffix-first order the prefix stands
    behind the middle token, so that prefix and middle are contiguous and typing only appends
    (the SPM variant of Bavarian et al., 2022, https://arxiv.org/abs/2207.14255). A template
    without infilling drops the suffix.

    ``related`` are excerpts of other files, which stand in front, each behind a file separator,
    as in the repository-level prompts of Qwen2.5-Coder; one more separator ends them. A template
    without a separator drops them.
    """
    front = [special(template.begin)] if template.begin else []
    if related and template.file_sep:
        separator = special(template.file_sep)
        for excerpt in related:
            front += [separator, *excerpt]
        front.append(separator)
    if not template.infills or suffix is None:
        # In training one text follows the end of another.
        return [*(front or map(special, template.ends[:1])), *prefix]
    pre, suf, mid = (special(t) for t in (template.prefix, template.suffix, template.middle))
    if order == "spm":
        return [*front, pre, suf, *suffix, mid, *prefix]
    return [*front, pre, *prefix, suf, *suffix, mid]
