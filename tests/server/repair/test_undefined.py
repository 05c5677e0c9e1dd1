"""Names that are defined nowhere, or not where they are looked for, with a real type checker."""

import re
import sys
import time

import pytest

from repairing import WithoutModel
from surefill.budget import Cancellation, Deadline
from surefill.diagnostics.apis import api_problems
from surefill.diagnostics.inquiry import Inquiry
from surefill.diagnostics.problem import Problem
from surefill.diagnostics.syntax import syntax_problems
from surefill.oracle.factory import create_oracles
from surefill.repair.edit import edited
from surefill.repair.packages import how_to_install, missing_package
from surefill.repair.service import UNDEFINED, RepairRequest, find_repairs
from surefill.settings import Settings
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for
from surefill.syntax.position import Position, Range


class Workspace:
    """A folder with a type checker, in the environment of these tests."""

    def __init__(self, folder):
        self.folder = folder
        settings, _ = Settings.parse({"oracle": {"python": sys.prefix}})
        self.oracles = create_oracles(settings.oracle, [folder])

    def inquiry(self):
        async def ask(question):
            return await question(self.oracles.of("python"))

        return Inquiry(ask, time.monotonic() + 60)

    def snapshot(self, text, name="job.py"):
        path = self.folder / name
        path.write_text(text)
        return Document(path.as_uri(), language_for("python", None), text).snapshot()

    async def repairs(self, snapshot, problem):
        request = RepairRequest(snapshot, problem, Cancellation(Deadline.after(60)))
        found = await find_repairs(request, WithoutModel(), self.inquiry())
        return [(edited(snapshot, each.range, each.text).text, each.preferred) for each in found]

    async def of_undefined(self, text, name):
        snapshot = self.snapshot(text)
        start = re.search(rf"(?<![\w.]){name}\b", text).start()
        line = text.count("\n", 0, start)
        character = start - (text.rfind("\n", 0, start) + 1)
        span = Range(Position(line, character), Position(line, character + len(name)))
        return await self.repairs(snapshot, Problem(UNDEFINED, "name", span, "", span, name=name))

    async def of_apis(self, text, name="job.py"):
        snapshot = self.snapshot(text, name)
        found = await api_problems(snapshot, self.inquiry(), syntax_problems(snapshot))
        return [(each, await self.repairs(snapshot, each)) for each in found]


@pytest.fixture
async def workspace(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "events.py").write_text("E = 1\nvalue = 2\n")
    workspace = Workspace(tmp_path)
    yield workspace
    await workspace.oracles.close()


@pytest.mark.parametrize(
    ("written", "name", "meant"),
    [
        ('"""Doc."""\n\nimport os\n\njson.loads("1")\n', "json", "import os\nimport json\n"),
        ("#!/usr/bin/env python\nnp.zeros(3)\n", "np", "python\nimport numpy as np\nnp"),
        ("def f(p: Path): ...\n", "Path", "from pathlib import Path\ndef f"),
        ("x = defaultdict(list)\nif a\n    pass\n", "defaultdict", "from collections import defa"),
        ("x = null\n", "null", "x = None\n"),
        ("x = true\n", "true", "x = True\n"),
        ("for i in rnage(3): ...\n", "rnage", "in range(3)"),
        ("def f(value):\n    return valeu\n", "valeu", "return value\n"),
    ],
)
async def test_an_undefined_name_is_imported_or_spelt_right(workspace, written, name, meant):
    (text, preferred), *_ = await workspace.of_undefined(written, name)
    assert meant in text
    assert preferred


@pytest.mark.parametrize(
    ("written", "name"),
    [("surely_not_there.f()\n", "surely_not_there"), ("gensim.models\n", "gensim")],
)
async def test_what_the_environment_has_not_is_not_imported(workspace, written, name):
    assert await workspace.of_undefined(written, name) == []


@pytest.mark.parametrize(
    "broken", ["if a\n    pass\n", "y = foo(\n", "y = 'abc\n", "print(1 2)\n", "x && y\n"]
)
async def test_a_name_is_mended_beside_any_syntax_error(workspace, broken):
    written = f"import os\nx = os.getcwdd()\n\n{broken}"
    ((_, ((text, preferred), *others)),) = await workspace.of_apis(written)
    assert (text, preferred) == (written.replace("getcwdd", "getcwd"), True)
    assert not any(preferred for _, preferred in others)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("from .evnts import E\n", "from .events import E\n"),
        ("from . import evnts\n", "from . import events\n"),
        ("from .events import (\n    valu,\n)\n", "from .events import (\n    value,\n)\n"),
        ("from pkg.evnts import E\n", "from pkg.events import E\n"),
        ("from os import pth\n", "from os import path\n"),
    ],
)
async def test_a_slip_in_an_import_is_mended_where_it_is(workspace, written, meant):
    ((_, ((text, _), *_)),) = await workspace.of_apis(written, "pkg/job.py")
    assert text == meant


async def test_a_slip_in_a_module_s_name_is_offered_and_not_applied_unasked(workspace):
    ((_, found),) = await workspace.of_apis("import colections\n")
    assert found == [("import collections\n", False)]


async def test_a_slip_in_the_name_of_a_module_of_the_project_is_offered(workspace):
    (workspace.folder / "helpers.py").write_text("a = 1\n")
    ((_, found),) = await workspace.of_apis("import hlepers\n", "pkg/job.py")
    assert found == [("import helpers\n", False)]


@pytest.mark.parametrize("module", ["ujson", "gensim", "cv2", "torch_tools", "jsonn_schema"])
async def test_a_module_that_is_not_installed_is_never_another_one(workspace, module):
    ((_, found),) = await workspace.of_apis(f"import {module}\n")
    assert found == []


async def test_what_is_only_a_little_alike_is_another_name(workspace):
    enum = "from enum import Enum\n\n\nclass C(Enum):\n    RED = 1\n\n\nC.RED.label\n"
    ((_, found),) = await workspace.of_apis(enum)
    assert found == []


@pytest.mark.parametrize(
    ("module", "typed"),
    [
        ("cv2", "python -m pip install opencv-python"),
        ("yaml", "python -m pip install PyYAML"),
        ("sklearn.linear_model", "python -m pip install scikit-learn"),
        ("gensim", "python -m pip install gensim"),
        ("nobody_knows_this", ""),
    ],
)
def test_how_a_module_is_installed(module, typed):
    assert how_to_install(module) == typed


def test_only_a_module_of_the_top_level_can_be_installed(tmp_path):
    line = Range(Position(0, 0), Position(0, 30))

    def missing(text, name):
        start = text.index(name)
        span = Range(Position(0, start), Position(0, start + len(name)))
        snapshot = Document("file:///a.py", language_for("python", None), text).snapshot()
        problem = Problem("unresolved-import", "name", span, "", line, name=name)
        return missing_package(snapshot, problem)

    assert missing("import os, gensim\n", "gensim") == "gensim"
    assert missing("from gensim.models import a\n", "gensim.models") == "gensim.models"
    assert missing("from .gensim import a\n", "gensim") == ""
    assert missing("from os import gensim\n", "gensim") == ""
