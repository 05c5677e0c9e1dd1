"""The tokens of a prompt template in a tokenizer of another: which are there, renamed, or put in.

Decides on names and ids alone; ``tokenizer_json`` writes them, ``rows`` fills their embeddings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from surefill.context.prompt import TEMPLATES, PromptTemplate
from surefill_training.errors import ModelImportError

Infilling = Literal["source", "untrained", "none"]
"""As the source has learned it; to be learned, for its tokens are new; not in the template."""


@dataclass(frozen=True)
class Added:
    """A token of the template in the place of a reserved one."""

    token: str
    id: int
    was: str
    """Name of the reserved token; empty for an id that had none."""


@dataclass(frozen=True)
class Plan:
    """What is done to the tokens of a source."""

    template: PromptTemplate
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The template's names for tokens that mean the same."""
    added: tuple[Added, ...] = ()

    @property
    def infilling(self) -> Infilling:
        if not self.template.infills:
            return "none"
        new = {each.token for each in self.added}
        needed = {self.template.prefix, self.template.suffix, self.template.middle}
        return "untrained" if needed & new else "source"


def recognise(tokens: Collection[str]) -> str:
    """The template whose infilling tokens a vocabulary holds; ``plain`` where it holds none's."""
    for template in TEMPLATES.values():
        needed = (template.prefix, template.suffix, template.middle, template.ends[0])
        if template.infills and all(
            token in tokens for token in (*needed, template.begin) if token
        ):
            return template.name
    return "plain"


def plan(
    template: PromptTemplate,
    ids: Mapping[str, int],
    special: Collection[str],
    unused: Sequence[tuple[int, str]],
) -> Plan:
    """How every token of ``template`` comes to stand in a tokenizer.

    ``ids`` are all its tokens, ``special`` the names that may be changed, ``unused`` ids with
    names (or empty) whose rows the model has and has never learned, those to be taken first in
    front. Raises ModelImportError where an end or begin token is missing or places do not suffice.
    """
    missing = [token for token in template.special_tokens() if token not in ids]
    by_meaning = {_bare(token): token for token in special}
    renamed = {
        by_meaning[_bare(token)]: token
        for token in missing
        if _bare(token) in by_meaning and by_meaning[_bare(token)] not in template.special_tokens()
    }
    missing = [token for token in missing if token not in renamed.values()]
    fixed = {*template.ends, template.begin} & set(missing)
    if fixed:
        raise ModelImportError(
            f"The tokenizer has no token {sorted(fixed)[0]!r}, which the template "
            f"{template.name} begins or ends with.",
            f"Choose another --template; its tokens suit {recognise(ids)}.",
        )
    places = [(id_, name) for id_, name in unused if name not in renamed]
    if len(places) < len(missing):
        raise ModelImportError(
            f"The tokenizer has no tokens {', '.join(missing)} of the template {template.name}, "
            f"and {len(places)} unused ones that could take their place.",
            f"Choose another --template; its tokens suit {recognise(ids)}.",
        )
    added = [Added(t, id_, name) for t, (id_, name) in zip(missing, places, strict=False)]
    return Plan(template, renamed, tuple(added))


def _bare(token: str) -> str:
    """The name inside a token's brackets: ``<|repo_name|>`` and ``<repo_name>`` mean the same."""
    return token.strip("<>|")
