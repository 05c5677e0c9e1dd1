"""Another language's server behind the same interface: TypeScript's own."""

import pytest

from surefill.settings import OracleSettings


@pytest.fixture
def script(asker, typescript):
    (asker.folder / "tsconfig.json").write_text('{"compilerOptions": {"strict": true}}')
    (asker.folder / "shapes.ts").write_text("export interface Circle { radius: number }\n")
    languages = dict.fromkeys(("typescript", "typescriptreact"), typescript)
    return asker(OracleSettings(engine="off", servers=languages), "typescript", "main.ts")


async def test_members(script):
    members = await script.members("const word = 'a';\nword.¦\n")
    assert "toUpperCase" in members.names
    assert members.lacks("upper") and not members.dynamic and not members.optional


async def test_members_of_any_prove_nothing(script):
    members = await script.members("function f(x: any) { x.¦ }\n")
    assert members.dynamic and not members.lacks("whatever")


async def test_members_of_what_may_be_missing(script):
    members = await script.members("function f(x?: string) { x.¦ }\n")
    assert members.optional and "charAt" in members.names


async def test_optional_members_are_named_without_their_mark(script):
    members = await script.members("interface A { b?: number }\nfunction f(a: A) { a.¦ }\n")
    assert members.names == {"b"} and members.closed


async def test_names_in_an_import(script):
    members = await script.members("import { ¦ } from './shapes';\n")
    assert "Circle" in members.names and members.lacks("Square")


async def test_a_signature_has_no_keywords(script):
    found = await script.signature(
        "function f(a: number, b?: string, ...c: number[]): void {}\nf(¦)\n"
    )
    (signature,) = found.items
    assert [(p.name, p.kind, p.required) for p in signature.parameters] == [
        ("a", "positional-only", True),
        ("b", "positional-only", False),
        ("c", "var-positional", False),
    ]
    assert signature.parameters[1].annotation == "string"
    assert found.keywords == frozenset()


async def test_function_types_in_a_signature_are_read_whole(script):
    found = await script.signature("JSON.stringify(1, ¦)\n")
    names = [p.name for p in found.items[0].parameters]
    assert names == ["value", "replacer", "space"]
    assert found.items[0].active == 1


async def test_diagnostics_in_code_points(script):
    found = await script.ask("diagnostics", "'𝕏𝕏'; nowhere;\n")
    (error,) = found.errors
    assert (error.code, tuple(error.range.start)) == ("2304", (0, 6))
    assert await script.codes("const x: number = 1;\n") == []


async def test_hover_describe_and_origin(script):
    assert "max" in (await script.ask("hover", "Math.ma¦x(1)\n")).markdown
    described = await script.ask("describe", "Math.¦\n", "max")
    assert "number" in described.signature and "larg" in described.documentation
    text = "import { Circle } from './shapes';\nlet c: Circ¦le;\n"
    origin = await script.ask("origin", text)
    assert (origin.kind, origin.path.name) == ("workspace", "shapes.ts")


async def test_languages_with_one_command_share_one_process(script):
    await script.codes("let x = 1;\n")
    other = script.oracles.of("typescriptreact")
    assert other.available and other.status == script.oracle.status
    assert not script.oracles.of("python").available
