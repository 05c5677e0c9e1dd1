"""How a call looks in an editor's completion menu, by what that menu can do.

Our items are marked as ours and stand behind equally good ones of the language's own server: an
editor puts first what matches best, and among those that match alike goes by ``sortText``. Servers
begin it with a letter or a digit, or leave it to the name; a tilde comes after all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from surefill.completion.call_items import CallItem
from surefill.lsp.client import MenuAbilities
from surefill.syntax.position import Range

SOURCE = "Surefill"

_KINDS = {
    "method": types.CompletionItemKind.Method,
    "class": types.CompletionItemKind.Class,
    "constructor": types.CompletionItemKind.Constructor,
}


class MenuForm:
    """Makes items for one editor."""

    def __init__(self, abilities: MenuAbilities) -> None:
        self._abilities = abilities

    def item(
        self,
        item: CallItem,
        rank: int,
        *,
        data: object,
        in_units: Callable[[Range], types.Range],
    ) -> types.CompletionItem:
        """The entry for ``item``, the ``rank``-th of ours.

        What stands in front of the name and has to go, goes by an edit of its own: with the main
        edit around both, some editors would compare what is typed with all of that text.
        """
        can = self._abilities
        snippets = can.snippets and item.snippet.has_stops
        # Whoever expands snippets indents them; plain text is taken as it is, unless told.
        adjusted = can.adjusts_indentation or snippets
        text = item.snippet if adjusted else item.snippet.indented(item.indent)
        several = "\n" in item.snippet.plain
        formats = types.InsertTextFormat
        removed = [types.TextEdit(in_units(item.removes), "")] if item.removes else None
        made = types.CompletionItem(
            label=item.label,
            label_details=types.CompletionItemLabelDetails(description=SOURCE)
            if can.label_details
            else None,
            kind=types.CompletionItemKind.Snippet
            if item.way
            else _KINDS.get(item.kind, types.CompletionItemKind.Function),
            detail=None if can.label_details else SOURCE,
            sort_text=f"~{rank}",
            filter_text=item.matches or None,
            insert_text_format=formats.Snippet if snippets else formats.PlainText,
            insert_text_mode=types.InsertTextMode.AdjustIndentation
            if several and can.adjusts_indentation
            else None,
            text_edit=types.TextEdit(in_units(item.span), text.marked if snippets else text.plain),
            additional_text_edits=removed,
            data=data,
        )
        if not can.resolves:
            self.explain(made, item)
        return made

    def explain(self, shown: types.CompletionItem, item: CallItem) -> None:
        """Add signature and documentation to what is shown for ``item``."""
        can = self._abilities
        shown.detail = item.signature if can.label_details else f"{SOURCE}: {item.signature}"
        text = item.documentation.strip()
        if not text:
            return
        kind = types.MarkupKind.Markdown if can.markdown else types.MarkupKind.PlainText
        shown.documentation = types.MarkupContent(kind, text)
