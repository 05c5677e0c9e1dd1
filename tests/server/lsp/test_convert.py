import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from surefill.lsp.convert import (
    code_points,
    count_units,
    encoding_of,
    from_lsp_position,
    from_lsp_range,
    to_lsp_position,
    to_lsp_range,
)
from surefill.syntax.position import Position, Range

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
# Surrogates included: an editor may send halves of a pair.
LINES = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=()), max_size=30)


@pytest.mark.parametrize(
    ("encoding", "units"), [("utf-8", 4 + 6 + 1), ("utf-16", 2 + 2 + 1), ("utf-32", 1 + 2 + 1)]
)
def test_emoji_and_cjk_before_the_cursor(encoding, units):
    line = "🎉漢字x = 1\n"
    assert code_points(line, units, encoding) == 4
    assert to_lsp_position([line], Position(0, 4), encoding) == types.Position(0, units)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(line=LINES)
def test_every_position_survives_the_way_out_and_back(encoding, line):
    for character in range(len(line) + 1):
        units = count_units(line[:character], encoding)
        assert code_points(line + "\r\n", units, encoding) == character


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(line=LINES, units=st.integers(-(2**40), 2**40))
def test_any_number_is_clamped(encoding, line, units):
    found = code_points(line + "\n", units, encoding)
    assert 0 <= found <= len(line)
    assert count_units(line[:found], encoding) <= max(units, 0)


@pytest.mark.parametrize(("encoding", "inside"), [("utf-8", [1, 2, 3]), ("utf-16", [1])])
def test_a_count_inside_a_character_stands_before_it(encoding, inside):
    assert [code_points("🎉", units, encoding) for units in inside] == [0] * len(inside)


def test_unpaired_surrogates_count_one_unit_each():
    line = "\ud83d\ud83d\ude00x"
    assert [code_points(line, units, "utf-16") for units in range(6)] == [0, 1, 2, 3, 4, 4]


def test_positions_outside_the_document_are_clamped():
    lines = ["ab\r\n", "cd"]
    assert from_lsp_position(lines, types.Position(0, 99), "utf-16") == Position(0, 2)
    assert from_lsp_position(lines, types.Position(7, 0), "utf-16") == Position(1, 2)
    assert to_lsp_position(lines, Position(9, 9), "utf-16") == types.Position(1, 2)
    assert to_lsp_position(lines, Position(-1, -1), "utf-16") == types.Position(0, 0)


def test_a_range_with_its_ends_swapped_is_put_in_order():
    span = types.Range(types.Position(1, 1), types.Position(0, 1))
    ordered = Range(Position(0, 1), Position(1, 1))
    assert from_lsp_range(["ab\n", "cd"], span, "utf-8") == ordered
    assert to_lsp_range(["ab\n", "cd"], ordered, "utf-8") == types.Range(span.end, span.start)


def test_a_line_of_a_megabyte_is_exact():
    line = "é🎉" * 500_000
    assert code_points(line, 1_000_001, "utf-16") == 666_667
    assert code_points(line, 6 * 100_000 + 2, "utf-8") == 200_001


def test_utf_16_is_the_encoding_of_everything_unknown():
    assert encoding_of(None) == encoding_of("utf-7") == "utf-16"
    assert encoding_of(types.PositionEncodingKind.Utf8) == "utf-8"
