"""Places where repeating what stands near is right: document with § at the cursor, and the text.

Written for the tests. Grouped by what is repeated; each place has a language's id.
"""

ROWS = [
    ("python", "m = [\n    [0, 0, 0],\n    §\n]\n", "[0, 0, 0],\n    [0, 0, 0],"),
    ("python", "m = [\n    [1, 0],\n    §\n]\n", "[0, 1],\n    [1, 0],\n    [0, 1],"),
    ("python", "m = [\n    (None, None),\n    §\n]\n", "(None, None),\n    (None, None),"),
    ("python", "x = [0, 0, §]\n", "0, 0, 0, 0"),
    ("python", "x = [None, §]\n", "None, None, None, None, None"),
    ("python", "x = [np.nan, np.nan, §]\n", "np.nan, np.nan"),
    ("python", "x = f(a, a, §)\n", "a"),
    ("python", 'rows = [\n    ("a", 1),\n    ("b", 2),\n    §\n]\n', '("c", 3),\n    ("d", 4),'),
    (
        "python",
        "rows = [\n    Row(1, name=None),\n    §\n]\n",
        "Row(2, name=None),\n    Row(3, name=None),",
    ),
    ("json", "[\n  [0, 0],\n  §\n]\n", "[0, 0],\n  [0, 0]"),
    (
        "json",
        '[\n  {\n    "type": "a",\n    "on": true\n  },\n  {\n    §\n  }\n]\n',
        '"type": "a",\n    "on": false',
    ),
    ("html", "<tr>\n  <td></td>\n  §\n</tr>\n", "<td></td>\n  <td></td>\n  <th></th>"),
    ("html", '<div class="row">\n  <p>a</p>\n</div>\n§\n', '<div class="row">\n  <p>b</p>\n</div>'),
    ("html", "<li>One</li>\n§\n", "<li>Two</li>\n<li>Three</li>"),
    ("c", "int m[3][2] = {\n    {0, 0},\n    §\n};\n", "{0, 0},\n    {0, 0}"),
    ("sql", "INSERT INTO a VALUES\n(1, NULL),\n§\n", "(2, NULL),\n(3, NULL);"),
    (
        "javascript",
        "const rows = [\n  { id: 1, on: true },\n  §\n];\n",
        "{ id: 2, on: true },\n  { id: 3, on: true },",
    ),
    ("rust", "let m = [\n    [0, 0],\n    §\n];\n", "[0, 0],\n    [0, 1],"),
]

BRANCHES = [
    (
        "python",
        "if a == 1:\n    b = one(a)\nelif a == 2:\n    b = two(a)\n§\n",
        "elif a == 3:\n    b = three(a)",
    ),
    ("python", "if a:\n    log(a)\n    return None\nelif b:\n    §\n", "log(a)\n    return None"),
    ("python", "if a:\n    x = 1\nelse:\n    §\n", "x = 1\n    y = 2"),
    (
        "python",
        "match a:\n    case 1:\n        return None\n    §\n",
        "case 2:\n        return None",
    ),
    (
        "python",
        "try:\n    a()\nexcept KeyError:\n    return None\n§\n",
        "except ValueError:\n    return None",
    ),
    ("python", "def f(a):\n    if a:\n        §\n    return None\n", "return None"),
    (
        "javascript",
        "switch (a) {\n  case 1:\n    b = 1;\n    break;\n  §\n}\n",
        "case 2:\n    b = 2;\n    break;",
    ),
    (
        "javascript",
        "switch (a) {\n  case 1:\n    f(a);\n    break;\n  case 2:\n    §\n}\n",
        "f(a);\n    break;",
    ),
    (
        "typescript",
        "if (a === 1) {\n  return one();\n} else if (a === 2) {\n  return two();\n§\n",
        "} else if (a === 3) {\n  return three();\n}",
    ),
    (
        "go",
        "a, err := one()\nif err != nil {\n\treturn err\n}\nb, err := two(a)\n§\n",
        "if err != nil {\n\treturn err\n}",
    ),
    ("go", "switch a {\ncase 1:\n\treturn x\n§\n}\n", "case 2:\n\treturn x\ndefault:\n\treturn y"),
    ("rust", "match a {\n    1 => None,\n    §\n}\n", "2 => None,\n    3 => None,"),
    (
        "c",
        "switch (a) {\ncase 1:\n    return 0;\n§\n}\n",
        "case 2:\n    return 0;\ndefault:\n    return 1;",
    ),
    ("c", "switch (a) {\ncase 1:\nx = 1;\nbreak;\n§\n}\n", "case 2:\nx = 2;\nbreak;"),
    ("bash", "case $a in\n  one)\n    run one\n    ;;\n  §\nesac\n", "two)\n    run two\n    ;;"),
    ("bash", 'if [ "$a" = 1 ]; then\n  exit 1\nfi\n§\n', 'if [ "$b" = 1 ]; then\n  exit 1\nfi'),
    ("java", "if (a) {\n    return null;\n}\n§\n", "if (b) {\n    return null;\n}"),
    (
        "c",
        "int f(void) {\n    if (a)\n        return 1;\n    §\n}\n",
        "if (b)\n        return 1;\n    return 0;",
    ),
]

TESTS_AND_METHODS = [
    (
        "python",
        'def test_a():\n    client = make()\n    reply = client.get("/a")\n    assert reply.ok\n\n\n§\n',
        'def test_b():\n    client = make()\n    reply = client.get("/b")\n    assert reply.ok',
    ),
    (
        "python",
        "def test_a():\n    assert f(1) == 1\n\n\ndef test_b():\n    §\n",
        "assert f(2) == 1",
    ),
    ("python", "with raises(ValueError):\n    f(1)\n§\n", "with raises(ValueError):\n    f(2)"),
    (
        "python",
        "class A:\n    def one(self):\n        return self._a\n\n    §\n",
        "def two(self):\n        return self._a",
    ),
    (
        "python",
        "class A:\n    @property\n    def one(self):\n        return self._one\n\n    §\n",
        "@one.setter\n    def one(self, value):\n        self._one = value",
    ),
    (
        "python",
        "@overload\ndef f(a: int) -> int: ...\n§\n",
        "@overload\ndef f(a: str) -> str: ...\ndef f(a):\n    return a",
    ),
    (
        "python",
        "if sys.platform:\n    def f():\n        return 1\nelse:\n    §\n",
        "def f():\n        return 2",
    ),
    (
        "python",
        "try:\n    from a import f\nexcept ImportError:\n    §\n",
        "def f():\n        return None",
    ),
    (
        "python",
        "@show.register\ndef _(a: int):\n    return 1\n\n\n§\n",
        "@show.register\ndef _(a: str):\n    return 2",
    ),
    (
        "python",
        "def a():\n    def inner():\n        return 1\n    return inner\n\n\ndef b():\n    §\n",
        "def inner():\n        return 2\n    return inner",
    ),
    (
        "python",
        "class A:\n    class Meta:\n        ordering = 1\n\n\nclass B:\n    §\n",
        "class Meta:\n        ordering = 2",
    ),
    (
        "python",
        '@app.get("/users")\ndef users():\n    return []\n\n\n§\n',
        '@app.post("/users")\ndef add_user():\n    return []',
    ),
    (
        "python",
        "class A:\n    def f(self):\n        return 1\n\n\nclass B:\n    §\n",
        "def f(self):\n        return 2",
    ),
    (
        "javascript",
        "test('a', () => {\n  const x = make();\n  expect(x.a()).toBe(1);\n});\n\n§\n",
        "test('b', () => {\n  const x = make();\n  expect(x.b()).toBe(1);\n});",
    ),
    (
        "javascript",
        "class A {\n  get x() {\n    return this.y;\n  }\n\n  §\n}\n",
        "set x(value) {\n    this.y = value;\n  }",
    ),
    (
        "javascript",
        "app.get('/users', list);\n§\n",
        "app.post('/users', create);\napp.get('/users/:id', show);",
    ),
    (
        "typescript",
        "function f(a: string): string;\n§\n",
        "function f(a: number): number;\nfunction f(a: any) {\n  return a;\n}",
    ),
    ("typescript", "const Color = { red: 1 };\n§\n", "type Color = typeof Color;"),
    (
        "go",
        "func (a *A) Close() error {\n\treturn nil\n}\n\n§\n",
        "func (b *B) Close() error {\n\treturn nil\n}",
    ),
    ("go", "func init() {\n\ta()\n}\n\n§\n", "func init() {\n\tb()\n}"),
    (
        "rust",
        "impl Show for A {\n    fn show(&self) -> u8 {\n        1\n    }\n}\n\n§\n",
        "impl Show for B {\n    fn show(&self) -> u8 {\n        1\n    }\n}",
    ),
    (
        "rust",
        "#[cfg(unix)]\nfn f() {\n    a();\n}\n\n§\n",
        "#[cfg(windows)]\nfn f() {\n    b();\n}",
    ),
    (
        "java",
        "class A {\n    int f(int a) {\n        return a;\n    }\n\n    §\n}\n",
        "int f(long a) {\n        return 0;\n    }",
    ),
    (
        "java",
        "@Test\nvoid one() {\n    check(1);\n}\n\n§\n",
        "@Test\nvoid two() {\n    check(2);\n}",
    ),
    ("cpp", "int f(int a) {\n    return a;\n}\n\n§\n", "int f(double a) {\n    return 0;\n}"),
    ("c", "int f(int a);\n§\n", "int f(int a) {\n    return a;\n}"),
    (
        "c",
        "#ifdef A\nint f(int a) {\n    return a;\n}\n#else\n§\n#endif\n",
        "int f(int a) {\n    return 0;\n}",
    ),
    ("sql", "CREATE TABLE a (id INT);\n§\n", "CREATE TABLE b (id INT);"),
]

ENTRIES_AND_STATEMENTS = [
    (
        "python",
        "class A:\n    def __init__(self, x, y, z):\n        self.x = x\n        §\n",
        "self.y = y\n        self.z = z",
    ),
    ("python", 'd = {\n    "a": None,\n    §\n}\n', '"b": None,\n    "c": None,'),
    ("python", "import os\n§\n", "import os.path\nimport sys"),
    ("python", "from a import b\n§\n", "from a import c\nfrom a import d"),
    ("python", "print()\n§\n", "print(1)\nprint()\nprint(2)"),
    ("python", "line = f.readline()\nuse(line)\n§\n", "line = f.readline()\nuse(line, 2)"),
    ("python", "x = x.strip()\n§\n", "x = x.lower()\nx = x.strip()"),
    ("python", "a = 1\na += b\n§\n", "c = a\na = 1"),
    (
        "python",
        "parser.add_argument('a')\n§\n",
        "parser.add_argument('b')\nparser.add_argument('c')",
    ),
    (
        "python",
        "def f(a):\n    '''Do.\n\n    Args:\n        a: number.\n    '''\n\ndef g(a):\n    §\n",
        "'''Do more.\n\n    Args:\n        a: number.\n    '''",
    ),
    ("python", "def f():\n    return\n    §\n", "yield"),
    ("python", "x = str(§)\n", "str(a)"),
    ("python", "a = b.c + §\n", "b.d"),
    ("python", "self.left = self.§\n", "left.next"),
    ("python", "def f(a: Optional[int], b: §\n", "Optional[int]):"),
    ("python", "# -----\n# §\n", "-" * 40),
    ("python", 'x = "ha" + §\n', '"ha"'),
    ("javascript", "function f() {\n  return g();\n  §\n}\n", "function g() {\n    return 1;\n  }"),
    ("javascript", "a.on('x', f);\n§\n", "a.on('y', f);\na.on('z', f);"),
    ("javascript", "export { a } from './a';\n§\n", "export { b } from './b';"),
    (
        "typescript",
        "interface A {\n  id: string;\n}\n\ninterface B {\n  §\n}\n",
        "id: string;\n  name: string;",
    ),
    ("go", 'fmt.Println("a")\n§\n', 'fmt.Println("b")\nfmt.Println("c")'),
    ("go", "type A struct {\n\tID int\n}\n\ntype B struct {\n\t§\n}\n", "ID int\n\tName string"),
    ("rust", "use std::fs;\n§\n", "use std::fs::File;\nuse std::io;"),
    ("bash", "echo one\n§\n", "echo two\necho three"),
    ("bash", "if a; then\n  if b; then\n    c\n  §\n", "fi\nfi"),
    ("c", "#ifdef A\n#ifdef B\nint x;\n#endif\n§\n", "#endif"),
    ("c", "#include <stdio.h>\n§\n", "#include <stdlib.h>\n#include <string.h>"),
    ("java", "this.a = a;\n§\n", "this.b = b;\nthis.c = c;"),
    ("cpp", "x.push(1);\n§\n", "x.push(2);\nx.push(3);"),
    ("sql", "SELECT a FROM t\nUNION\n§\n", "SELECT b FROM t\nUNION\nSELECT c FROM t"),
    ("javascript", "function f() {\n  if (a) {\n    b();\n  }\n§\n", "}"),
    ("python", "// @ts-expect-error of a kind\nf(1)\n§\n", "f(2)"),
    ("typescript", "// @ts-expect-error\nf(1);\n§\n", "// @ts-expect-error\nf(2);"),
]

ALL = [*ROWS, *BRANCHES, *TESTS_AND_METHODS, *ENTRIES_AND_STATEMENTS]
