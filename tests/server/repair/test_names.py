"""Existing names in the order in which they may have been meant."""

import pytest

from surefill.repair.names import similar

METHODS = [*vars(list)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("apend", "append"),
        ("appned", "append"),
        ("extnd", "extend"),
        ("remoove", "remove"),
        ("Sort", "sort"),
        ("__len_", "__len__"),
    ],
)
def test_a_slip_of_the_finger_is_found(name, meant):
    assert similar(name, METHODS)[0][0] == meant


def test_underscores_and_capitals_are_no_other_letters():
    assert similar("group_by", ["groupby", "groups", "group_bx"])[0][0] == "groupby"


def test_what_is_not_alike_is_not_found():
    assert similar("frobnicate", METHODS) == []
    assert "append" not in [name for name, _ in similar("append", METHODS)]


def test_the_likelier_comes_first_and_there_is_an_end():
    names = [f"value_{n}" for n in range(50)]
    found = similar("value_7x", names, most=4)
    assert len(found) == 4
    assert found[0][0] == "value_7"
    assert [likely for _, likely in found] == sorted((each for _, each in found), reverse=True)
