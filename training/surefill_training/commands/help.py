"""How the help of the commands is laid out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Names the default of an argument that has one, and leaves an epilog's lines as they are.

    Where nothing is the default, the argument's own help says what that means.
    """

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = _shown(action.default)
        if action.help is None or default is None or action.required:
            return action.help
        return f"{action.help} (default: {default.replace('%', '%%')})"


def _shown(default: object) -> str | None:
    """A default as a user would give it; None where nothing is the default."""
    if isinstance(default, bool) or default in (None, argparse.SUPPRESS):
        return None
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, Sequence) and not isinstance(default, str):
        return ",".join(map(str, default)) or None
    return str(default)
