"""A model goes round in circles."""

LOOPS = [
    (
        "python",
        "import os\nfrom §\n",
        "os.path import getctime\nfrom os.path import getctime",
        "os.path import getctime",
    ),
    (
        "python",
        'p = Path("a")\nx = p.§\n',
        'read_text\np = Path("a")\nx = p.read_text\np = Path("a")',
        "read_text",
    ),
    (
        "lua",
        "local x = §\n",
        "to_tensor(x)\nlocal x = to_tensor(x)\nlocal x = to_tensor(x)",
        "to_tensor(x)",
    ),
    ("python", "§\n", "a = f(1)\nb = g(2)\na = f(1)\nb = g(2)\na = f(1)", "a = f(1)\nb = g(2)"),
    (
        "python",
        "§\n",
        (
            "open_door(a)\nwalk_in(b)\nclose_door(a)\nopen_door(a)\nwalk_in(b)\n"
            "close_door(a)\nopen_door(a)\nwalk_in(b)\nclose_door(a)\n"
        ),
        "open_door(a)\nwalk_in(b)\nclose_door(a)",
    ),
    (
        "python",
        "§\n",
        (
            "one(a)\ntwo(b)\nthree(c)\nfour(d)\nfive(e)\nsix(f)\none(a)\ntwo(b)\nthree(c)\n"
            "four(d)\nfive(e)\nsix(f)\n"
        ),
        "one(a)\ntwo(b)\nthree(c)\nfour(d)\nfive(e)\nsix(f)",
    ),
    ("python", "for a in b:\n    §\n", "print(a)\n    print(a)\n    print(a)", ""),
    ("python", "x = 1\n§\n", "y = step(x)\nprint(y)\nprint(y)\nprint(y)", "y = step(x)\nprint(y)"),
    (
        "javascript",
        "function f() {\n  §\n}\n",
        "a.push(1);\n  b.pop(a);\n  a.push(1);\n  b.pop(a);",
        "a.push(1);\n  b.pop(a);",
    ),
    (
        "go",
        "func f() {\n\t§\n}\n",
        "x := load(a)\n\tstore(x, b)\n\tx := load(a)\n\tstore(x, b)",
        "x := load(a)\n\tstore(x, b)",
    ),
    (
        "rust",
        "fn f() {\n    §\n}\n",
        "let a = read(b);\n    let a = read(b);\n    let a = read(b);",
        "",
    ),
    (
        "bash",
        "set -e\n§\n",
        "mkdir -p build\ncd build\nmkdir -p build\ncd build\n",
        "mkdir -p build\ncd build",
    ),
    (
        "sql",
        "§\n",
        "DELETE FROM a;\nDELETE FROM b;\nDELETE FROM a;\nDELETE FROM b;\nDELETE FROM a;",
        "DELETE FROM a;\nDELETE FROM b;",
    ),
    ("json", "[\n  §\n]\n", '"red",\n  "red",\n  "red",\n  "red"', ""),
    (
        "html",
        "<ul>\n  §\n</ul>\n",
        (
            "<li>New</li>\n  <li>New</li>\n  <li>New</li>\n  <li>New</li>\n"
            "  <li>New</li>\n  <li>New</li>\n  <li>New</li>\n  <li>New</li>\n"
        ),
        "",
    ),
    (
        "java",
        "void f() {\n    §\n}\n",
        "list.add(a);\n    map.put(a, b);\n    list.add(a);\n    map.put(a, b);",
        "list.add(a);\n    map.put(a, b);",
    ),
    (
        "c",
        "void f(void) {\n    §\n}\n",
        "lock(m);\n    count_up(m);\n    lock(m);\n    count_up(m);\n",
        "lock(m);\n    count_up(m);",
    ),
    (
        "python",
        "f = lambda x: §, 1\n",
        "x, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1",
        "",
    ),
    (
        "python",
        "x = §\n",
        "[" * 100,
        "",
    ),
    (
        "python",
        "x = [§\n",
        "0, " * 60,
        "",
    ),
    ("python", "x = §\n", "a or b or a or b or a or b or a or b or a or b or a or b", ""),
    (
        "python",
        "# §\n",
        "the rest of the rest of the rest of the rest of the rest of the rest of",
        "",
    ),
    (
        "python",
        "x = 1\n§\n",
        "y = 2\nz = 'abababababababababababababababababababababababababababababab'",
        "y = 2",
    ),
    ("python", "§\n", "import os\nimport os", "import os"),
    ("python", "§\n", "# read the file first\n# read the file first\nx = 1", ""),
    ("python", "§\n", "size = 10\nsize = 10\n", "size = 10"),
    (
        "python",
        "z = [\n    §\n]\n",
        (
            "0,\n    0,\n    0,\n    0,\n    0,\n    0,\n    0,\n    0,\n    0,\n    0,\n"
            "    0,\n    0,\n    0,\n"
        ),
        "0,",
    ),
    (
        "python",
        "while True:\n    §\n",
        (
            "a = q.get()\n    handle(a)\n    q.task_done()\n    a = q.get()\n"
            "    handle(a)\n    q.task_done()"
        ),
        "a = q.get()\n    handle(a)\n    q.task_done()",
    ),
    (
        "python",
        "with open(p) as f:\n    §\n",
        ("f.write(a)\n    f.flush()\n    f.write(a)\n    f.flush()\n    f.write(a)\n    f.flush()"),
        "f.write(a)\n    f.flush()",
    ),
    ("ruby", "def go\n  §\nend\n", "puts name\n  puts name\n  puts name\n  puts name", ""),
    (
        "yaml",
        "steps:\n§\n",
        (
            "  - run: make build\n  - run: make test\n  - run: make build\n"
            "  - run: make test\n  - run: make build"
        ),
        "  - run: make build\n  - run: make test",
    ),
    (
        "typescript",
        "§\n",
        "export class A {}\nexport class B {}\nexport class A {}\nexport class B {}",
        "export class A {}\nexport class B {}",
    ),
    ("go", "§\n", "// Package a does b.\n// Package a does b.\n// Package a does b.", ""),
    (
        "cpp",
        "int main() {\n    §\n}\n",
        (
            "std::cout << a << std::endl;\n    std::cout << a << std::endl;\n"
            "    std::cout << a << std::endl;"
        ),
        "",
    ),
    ("bash", "§\n", 'echo "building $name"\necho "building $name"\necho "building $name"', ""),
    ("python", "x = §\n", "not not not not not not not not a", ""),
    ("javascript", "const s = §;\n", '"-a-a-a-a-a-a-a-a-a-a-a"', ""),
    (
        "html",
        "<div>\n§\n</div>\n",
        (
            "  <div>\n    <span>a</span>\n  </div>\n  <div>\n    <span>a</span>\n"
            "  </div>\n  <div>\n    <span>a</span>\n  </div>\n  <div>\n"
            "    <span>a</span>\n  </div>\n  <div>\n    <span>a</span>\n  </div>\n"
            "  <div>\n    <span>a</span>\n  </div>\n"
        ),
        "  <div>\n    <span>a</span>\n  </div>",
    ),
    ("sql", "SELECT §\n", "a, b, a, b, a, b, a, b, a, b, a, b FROM t", ""),
]
