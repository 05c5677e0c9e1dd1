"""What belongs to a string that is open, as patterns that every Python 3.11 matches rightly.

No possessive quantifiers: before 3.11.5 they forget what a group has taken back
(https://github.com/python/cpython/issues/106052). The loops are unrolled instead (Friedl, Mastering
Regular Expressions): nothing can be matched in two ways, so that a string without an end costs no
more than its length.
"""

import re


def inside(delimiter: str, *, multiline: bool) -> str:
    """A pattern for all that can stand before ``delimiter`` ends a string.

    A backslash takes what follows it. A string of one line ends there at the latest.
    """
    first = re.escape(delimiter[0])
    if multiline:
        plain = rf"[^\\{first}]*"
        other = rf"\\[\s\S]|(?!{re.escape(delimiter)}){first}"
    else:
        plain = rf"[^\\\r\n{first}]*"
        other = r"\\(?:\r\n|[\s\S])"
    return rf"{plain}(?:(?:{other}){plain})*"
