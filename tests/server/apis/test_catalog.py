"""Which names are worth offering, and in which order."""

from surefill.apis.catalog import callable_names, ranked
from surefill.oracle.answers import Member, Members

MEMBERS = Members(
    tuple(
        Member(name, kind)
        for name, kind in [
            ("get", "method"),
            ("get_all", "method"),
            ("size", "property"),
            ("_hidden", "method"),
            ("__enter__", "method"),
            ("Thing", "class"),
            ("ThingError", "class"),
            ("module", "module"),
        ]
    ),
    closed=True,
    dynamic=False,
)
MANY = ("a", "b", "c", "d", "e", "f", "g")


def test_what_is_private_or_an_exception_has_to_be_begun():
    assert callable_names(MEMBERS, "") == ("get", "get_all", "Thing")
    assert callable_names(MEMBERS, "_") == ("_hidden",)
    assert callable_names(MEMBERS, "__") == ("__enter__",)
    assert callable_names(MEMBERS, "Thi") == ("Thing", "ThingError")
    assert "ThingError" in callable_names(MEMBERS, "", raises=True)
    assert callable_names(MEMBERS, "si") == ()


def test_the_whole_name_then_the_model_s_then_those_in_use():
    text = "x.c()\nx.c()\nx.b()\n"
    assert ranked(MANY, ["f", "zz", "b"], "d", text) == ["d", "f", "b", "c"]


def test_of_many_names_nothing_is_offered_that_nobody_asked_for():
    assert ranked(MANY, [], "", "") == []
    assert ranked(MANY[:5], [], "", "") == list(MANY[:5])
