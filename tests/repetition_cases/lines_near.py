"""Lines that stand above or below once more."""

LINES_NEAR = [
    ("python", "x = foo(1)\ny = bar(x)\nz = 3\n§\n", "x = foo(1)\ny = bar(x)\n", ""),
    (
        "python",
        "load(model, path)\nrun(model, data)\nsave(model, path)\n# and the other one\n§\n",
        "load(model, path)\nrun(model, data)\nsave(model, path)",
        "",
    ),
    (
        "python",
        "def f(a):\n    b = open(a)\n    c = b.read()\n    d = c.split()\n    # next\n    §\n",
        "e = len(d)\n    b = open(a)\n    c = b.read()\n    d = c.split()",
        "e = len(d)",
    ),
    ("python", "next(rows)\n§\n", "next(rows)", ""),
    (
        "python",
        "# sort the names by length\nnames.sort(key=len)\n§\n",
        "# sort the names by length\nnames.sort()",
        "",
    ),
    ("python", "import os\nimport sys\n§\n", "import os", ""),
    ("python", "import json\nimport os\n\nimport sys\n§\n", "import re\nimport json", "import re"),
    (
        "python",
        "§\nimport sys\nimport os\nx = 1\n",
        "import re\nimport sys\nimport json",
        "import re",
    ),
    ("python", "retries = 3\nurl = base\n§\n", "retries = 3\nname = url", ""),
    (
        "python",
        "class A:\n    def f(self, x, y):\n        self.x = x\n        self.y = y\n        §\n",
        "self.x = x",
        "",
    ),
    (
        "python",
        'd = {\n    "name": name,\n    "size": size,\n    §\n}\n',
        '"mode": mode,\n    "name": name,',
        '"mode": mode,',
    ),
    ("python", "f(\n    width=w,\n    height=h,\n    §\n)\n", "width=w,", ""),
    ("python", "f(\n    §\n    width=w,\n)\n", "width=w,\n    depth=d,", ""),
    ("json", '{\n  "name": "a",\n  "version": "1",\n  §\n}\n', '"name": "a"', ""),
    (
        "javascript",
        "const o = {\n  id: user.id,\n  name: user.name,\n  §\n};\n",
        "id: user.id,",
        "",
    ),
    (
        "javascript",
        "import fs from 'fs';\nimport path from 'path';\n§\n",
        "import fs from 'fs';",
        "",
    ),
    (
        "go",
        "func f() {\n\ta := read(r)\n\twrite(w, a)\n\tflush(w)\n\t§\n}\n",
        "a := read(r)\n\twrite(w, a)",
        "",
    ),
    ("c", "#include <stdio.h>\n#include <string.h>\n§\n", "#include <stdio.h>", ""),
    ("rust", "use std::fs;\nuse std::io;\n§\n", "use std::fs;", ""),
    ("java", "import java.util.List;\nimport java.util.Map;\n§\n", "import java.util.List;", ""),
    (
        "bash",
        "cd /srv/app\ngit pull origin main\nmake install all\n§\n",
        "cd /srv/app\ngit pull origin main\nmake install all",
        "",
    ),
    (
        "python",
        (
            "def a(p):\n    q = one(p)\n    r = two(q)\n    s = three(r)\n"
            "    t = four(s)\n    u = five(t)\n    return u\n\n\ndef b(p):\n    §\n"
        ),
        (
            "z = 0\n    q = one(p)\n    r = two(q)\n    s = three(r)\n    t = four(s)\n"
            "    u = five(t)\n    return u"
        ),
        "z = 0",
    ),
    (
        "typescript",
        "a.one(x, y);\nb.two(x, y);\n// the same for z\n§\n",
        "a.one(x, y);\nb.two(x, y);\na.one(z);",
        "",
    ),
    (
        "python",
        "total = 0\nfor a in b:\n    total += a\nprint(total)\n§\n",
        "total = 0\nfor a in b:\n    total += a\nprint(total)",
        "",
    ),
    (
        "python",
        "class A:\n    name = models.Char()\n    size = models.Int()\n    §\n",
        "kind = models.Char()\n    name = models.Char()",
        "kind = models.Char()",
    ),
    (
        "python",
        "from a import b\nfrom c import d\n\n\ndef f():\n    pass\n\n\n§\n",
        "from a import b",
        "",
    ),
    (
        "javascript",
        "const a = require('a');\n§\n",
        "const b = require('b');\nconst a = require('a');",
        "const b = require('b');",
    ),
    (
        "typescript",
        "interface A {\n  id: string;\n  name: string;\n  §\n}\n",
        "id: string;\n  name: string;",
        "",
    ),
    (
        "java",
        "User u = new User();\nu.setName(a);\nu.setAge(b);\n§\n",
        "User u = new User();\nu.setName(c);",
        "",
    ),
    (
        "rust",
        "let a = load(p)?;\nlet b = parse(a)?;\n§\n",
        "let c = b.len();\nlet a = load(p)?;\nlet b = parse(a)?;",
        "let c = b.len();",
    ),
    ("go", "type A struct {\n\tID   int\n\tName string\n\t§\n}\n", "ID   int\n\tName string", ""),
    (
        "c",
        "x = read_value(f);\ny = read_value(g);\n§\n",
        "x = read_value(f);\ny = read_value(g);\nz = 0;",
        "",
    ),
    ("bash", "export PATH=/opt/bin\nexport HOME=/srv\n§\n", "export PATH=/opt/bin", ""),
    (
        "json",
        '{\n  §\n  "name": "a",\n  "main": "b"\n}\n',
        '"version": "1",\n  "name": "a",\n  "license": "c"',
        '"version": "1",',
    ),
    (
        "html",
        '<link rel="a" href="b.css">\n<link rel="a" href="c.css">\n§\n',
        '<link rel="a" href="b.css">\n<link rel="a" href="c.css">',
        "",
    ),
    ("python", "# Load the data\ndata = load()\n\n§\n", "# Load the data\ndata = load()", ""),
]
