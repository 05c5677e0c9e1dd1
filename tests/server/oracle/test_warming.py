"""What an opened document imports is looked at before anyone asks."""

from surefill.settings import OracleSettings


async def test_the_libraries_of_an_opened_document_become_warm(asker, engine, environment):
    settings = OracleSettings(engine=engine, python=str(environment))
    asker = asker(settings, opened="import shelf\nfrom shelf.parts import wheel\n")
    await asker.oracles.warmed()
    assert asker.oracle._warmer._seen() == {"shelf", "shelf.parts"}
    assert await asker.codes("import shelf\nshelf.pots('x')\n")  # the document is the user's again


async def test_questions_go_before_the_warming(asker, engine, environment):
    settings = OracleSettings(engine=engine, python=str(environment))
    asker = asker(settings, opened="import asyncio, email, http.client, shelf, unittest.mock\n")
    members = await asker.members("import shelf\nshelf.¦\n")
    assert "post" in members.names
    await asker.oracles.warmed()
    assert "shelf" in asker.oracle._warmer._seen()


async def test_a_document_that_is_closed_again_is_not_waited_for(asker, engine, environment):
    settings = OracleSettings(engine=engine, python=str(environment))
    asker = asker(settings, opened="import shelf\n")
    asker.oracle.close_document(asker.uri())
    await asker.oracles.warmed()
    assert asker.oracle._warmer._seen() == set()
