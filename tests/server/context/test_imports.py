"""Import lines lead to the project's own files, and to nothing outside."""

import pytest

from surefill.context.imports import local_modules
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for


@pytest.fixture
def project(tmp_path):
    """Makes files in a folder, and says what one of them imports."""

    class Project:
        root = tmp_path / "project"

        def make(self, *names):
            for name in names:
                file = self.root / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("x = 1\n")
            return self

        def imports(self, text, name="app/main.py", folders=None):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            snapshot = Document(path.as_uri(), language_for(None, name), text).snapshot()
            found = local_modules(snapshot, path, [self.root] if folders is None else folders)
            return [file.relative_to(self.root).as_posix() for file in found]

    return Project()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from . import helpers\n", ["app/helpers.py"]),
        ("from .helpers import run, stop\n", ["app/helpers.py"]),
        ("from ..lib.tools import x\n", ["lib/tools.py"]),
        ("from .. import lib\n", ["lib/__init__.py"]),
        ("import lib.tools as t, helpers\n", ["lib/tools.py", "app/helpers.py"]),
        ("from app import (\n    helpers,  # why\n    main,\n)\n", ["app/helpers.py"]),
        ("from lib import tools as t\n", ["lib/tools.py", "lib/__init__.py"]),
        ("from package.core import x\r\nimport os\r\n", ["src/package/core.py"]),
        ("import os\nfrom collections import abc\n", []),
        ("from .helpers import\nfrom . import (helpers,\nimport helpers\n", ["app/helpers.py"]),
        ("from .main import x\n", []),
        ("from ......outside import x\nfrom . import *\nimport\n", []),
    ],
)
def test_python(project, text, expected):
    project.make("app/helpers.py", "app/main.py", "lib/__init__.py", "lib/tools.py")
    project.make("src/package/core.py")
    assert project.imports(text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("web/app.ts", "import { a } from './util'\n", ["web/util.ts"]),
        ("web/app.ts", "import a from './util.js';\n", ["web/util.ts"]),
        ("web/app.js", "const a = require('../web/parts')\n", ["web/parts/index.tsx"]),
        ("web/app.tsx", 'import "./util"\nexport { b } from "./parts"\n',
         ["web/util.ts", "web/parts/index.tsx"]),
        ("web/app.ts", "import fs from 'fs'\nimport x from './styles.css'\n", []),
        ("c/main.c", '#include <stdio.h>\n#include "part.h"\n', ["c/part.h"]),
        ("c/main.cpp", '#include "all/of.h"\n', ["include/all/of.h"]),
        ("rust/lib.rs", "pub mod part;\nmod other;\n", ["rust/part.rs", "rust/other/mod.rs"]),
        ("sql/a.sql", "-- import './util'\nselect 1;\n", []),
        ("notes.txt", "import app.helpers\n", []),
    ],
)  # fmt: skip
def test_other_languages(project, name, text, expected):
    project.make("web/util.ts", "web/parts/index.tsx", "web/styles.css", "c/part.h")
    project.make("include/all/of.h", "rust/part.rs", "rust/other/mod.rs", "app/helpers.py")
    assert project.imports(text, name) == expected


def test_nothing_outside_the_project(project, tmp_path):
    project.make("app/main.py", "web/a.ts")
    (tmp_path / "outside.py").write_text("x = 1\n")
    (tmp_path / "outside.ts").write_text("x\n")
    (project.root / "app" / "link.py").symlink_to(tmp_path / "outside.py")
    (project.root / "app" / "loop.py").symlink_to(project.root / "app" / "loop.py")
    assert project.imports("from ... import outside\nfrom . import link, loop\n") == []
    assert project.imports("import x from '../../outside'\n", "web/a.ts") == []
    absolute = f'#include "{tmp_path}/outside.py"\n#include "{"a" * 190}"\n'
    assert project.imports(absolute, "c/main.c") == []


def test_without_a_workspace_only_the_own_folder_counts(project):
    project.make("app/helpers.py", "app/inner/deep.py", "other.py")
    text = "import helpers, other\nfrom .inner import deep\nfrom .. import other\n"
    assert project.imports(text, folders=[]) == ["app/helpers.py", "app/inner/deep.py"]


def test_many_imports_end(project):
    names = [f"m{number}" for number in range(200)]
    project.make(*(f"app/{name}.py" for name in names))
    assert len(project.imports("".join(f"import {name}\n" for name in names))) == 48


@pytest.mark.parametrize(
    "line",
    [
        "from" + " " * 100_000 + "x\n",
        "from " + "." * 100_000 + "\n",
        "from" + " \t" * 190 + "x\n",
        f"import {'a' * 300}.b\n",
        f"from {'a' * 300} import b\n",
    ],
)
def test_hostile_lines_lead_nowhere_and_hide_nothing(project, line):
    project.make("app/helpers.py")
    assert project.imports(line + "from . import helpers\n") == ["app/helpers.py"]


def test_a_path_without_a_name(project):
    project.make("app/a.ts")
    assert project.imports('import x from "./."\nimport y from "./a"\n', "app/main.ts") == [
        "app/a.ts"
    ]
