"""Text with tab stops, plain and in the syntax that editors read."""

import re

from hypothesis import given
from hypothesis import strategies as st

from surefill.apis.snippets import Snippet, Stop, escape


def read(marked):
    """The text that an editor makes of a snippet, by the grammar of the protocol."""
    text, numbers, at = "", [], 0
    while at < len(marked):
        if marked[at] == "\\" and marked[at + 1] in "\\$}":
            text, at = text + marked[at + 1], at + 2
        elif match := re.compile(r"\$\{(\d+)\}").match(marked, at):
            numbers, at = [*numbers, int(match[1])], match.end()
        elif match := re.compile(r"\$\{(\d+):((?:\\[\\$}]|[^\\$}])*)\}").match(marked, at):
            numbers.append(int(match[1]))
            text += re.sub(r"\\([\\$}])", r"\1", match[2])
            at = match.end()
        else:
            text, at = text + marked[at], at + 1
    return text, numbers


def test_stops_are_numbered_in_their_order_and_the_last_one_is_zero():
    snippet = Snippet(("f(", Stop("a"), ", ", Stop(), "): ", Stop("pass", last=True)))
    assert snippet.marked == "f(${1:a}, ${2}): ${0:pass}"
    assert snippet.plain == "f(a, ): pass"
    assert [(start, end) for start, end, _ in snippet.stops()] == [(2, 3), (5, 5), (8, 12)]


@given(st.lists(st.text(r"ab$}{\:0 ,|") | st.builds(Stop, st.text(r"ab$}{\:0 ,|"))))
def test_whatever_stands_in_it_an_editor_reads_the_plain_text(parts):
    snippet = Snippet(tuple(parts))
    text, numbers = read(snippet.marked)
    assert text == snippet.plain
    assert numbers == list(range(1, sum(isinstance(part, Stop) for part in parts) + 1))


def test_only_what_means_something_is_escaped():
    assert escape("{'$a': \\n}") == "{'\\$a': \\\\n\\}"


def test_further_lines_are_indented():
    snippet = Snippet(("with a:\n    ", Stop("b\nc"), "\n"))
    assert snippet.indented("  ").plain == "with a:\n      b\n  c\n  "
