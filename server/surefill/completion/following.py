"""What will probably be asked next: the request that follows an answer, as it will come."""

from __future__ import annotations

from dataclasses import replace

from surefill.completion.suggestion import CompletionRequest, Suggestion
from surefill.syntax.document import Document, end_of
from surefill.syntax.position import Position, Range


def after_acceptance(request: CompletionRequest, suggestion: Suggestion) -> CompletionRequest:
    """The same request with ``suggestion`` in the document and the cursor at its end."""
    return _edited(request, suggestion.range, suggestion.text)


def after_enter(request: CompletionRequest) -> CompletionRequest | None:
    """The same request on a new line, as deep as the cursor's; None where the line goes on."""
    position = request.snapshot.clamp(request.position)
    line = request.snapshot.line(position.line)
    if line[position.character :].strip() or not line.strip():
        return None
    ending = request.snapshot.lines[position.line][len(line) :] or "\n"
    indent = line[: len(line) - len(line.lstrip())]
    return _edited(request, Range(position, Position(position.line, len(line))), ending + indent)


def _edited(request: CompletionRequest, span: Range, text: str) -> CompletionRequest:
    document = Document.of(request.snapshot)
    document.edit(span, text)
    return replace(
        request,
        snapshot=document.snapshot(),
        position=end_of(request.snapshot.clamp(span.start), text),
        selected_text=None,
        selected_range=None,
    )
