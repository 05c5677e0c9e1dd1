"""A user's environment with a library made for the purpose, and oracles that look at it."""

import asyncio
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from environments import make_environment, write
from surefill.oracle.answers import Source, Status
from surefill.oracle.factory import Oracles, create_oracles
from surefill.settings import OracleSettings
from surefill.syntax.position import Position

PATIENCE = 60.0
"""Seconds until a missing answer fails a test. Not a bound on anything that is tested."""

FAKE_SERVER = Path(__file__).parent / "fake_server.py"


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The user's environment, with the library ``shelf``."""
    return make_environment(tmp_path_factory.mktemp("environment") / "env")


@pytest.fixture(params=["ty", "pyrefly"], scope="module")
def engine(request):
    return request.param


WORKSPACE = {
    "main.py": "",
    "pack/__init__.py": "",
    "pack/here.py": "",
    "pack/there.py": "def helper(): ...\n",
}


@dataclass
class Asker:
    """One workspace and the questions about its documents; "¦" marks the position in a text."""

    oracles: Oracles
    language: str
    folder: Path
    name: str
    statuses: list[Status]

    @property
    def oracle(self):
        return self.oracles.of(self.language)

    def uri(self, name=None):
        return (self.folder / (name or self.name)).as_uri()

    def source(self, text, name=None):
        text = textwrap.dedent(text).lstrip("\n")
        before, _, after = text.partition("¦")
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return Source(self.uri(name), before + after), Position(line, column)

    async def ask(self, question, text, *arguments, seconds=PATIENCE, name=None, **named):
        source, position = self.source(text, name)
        where = () if question == "diagnostics" else (position,)
        deadline = time.monotonic() + seconds
        ask = getattr(self.oracle, question)
        return await ask(source, *where, *arguments, deadline=deadline, **named)

    async def members(self, text, **named):
        return await self.ask("members", text, **named)

    async def signature(self, text, **named):
        return await self.ask("signature", text, **named)

    async def codes(self, text, **named):
        """Codes of the errors, with their lines."""
        found = await self.ask("diagnostics", text, **named)
        return [(item.range.start.line, item.code) for item in found.errors]

    async def state(self, wanted, times=1):
        """Return when the checker reported a state that often."""
        limit = time.monotonic() + PATIENCE
        while sum(status.state == wanted for status in self.statuses) < times:
            assert time.monotonic() < limit, f"not {wanted}: {self.statuses}"
            await asyncio.sleep(0.02)


def make_asker(settings, folder, language="python", name="main.py", opened="", **named):
    """Oracles for ``folder``, with one document open unless ``opened`` is None."""
    statuses = []
    oracles = create_oracles(settings, [folder], on_status=statuses.append, **named)
    asker = Asker(oracles, language, folder, name, statuses)
    if opened is not None:
        asker.oracle.open(asker.uri(), opened)
    return asker


@pytest.fixture
async def asker(tmp_path):
    """Makes askers in a workspace of the test's own; what they started is ended."""
    made = []
    folder = tmp_path / "workspace"
    write(folder, WORKSPACE)

    def make(settings, *arguments, **named):
        made.append(make_asker(settings, folder, *arguments, **named))
        return made[-1]

    make.folder = folder
    yield make
    for each in made:
        await each.oracles.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def python(engine, environment, tmp_path_factory):
    """An asker about Python, one for each engine and test module: a checker's start takes time."""
    folder = tmp_path_factory.mktemp("workspace")
    write(folder, WORKSPACE)
    asker = make_asker(OracleSettings(engine=engine, python=str(environment)), folder)
    yield asker
    await asker.oracles.close()


@pytest.fixture
def fake(asker):
    """Makes askers whose server is a script that misbehaves in one way."""

    def make(fault, *arguments, **named):
        command = (sys.executable, str(FAKE_SERVER), fault, *map(str, arguments))
        return asker(OracleSettings(servers={"fake": command}), "fake", "main.fake", **named)

    return make
