"""Code after what leaves its block."""

UNREACHABLE = [
    (
        "python",
        "def f(r):\n\t§\n",
        (
            '"""Area of a circle."""\n\treturn pi * r\n\t"""Area of a circle."""\n'
            '\treturn pi * r\n\t"""Area of a circle."""\n\treturn pi * r\n'
        ),
        '"""Area of a circle."""\n\treturn pi * r',
    ),
    ("python", "def f(a):\n    return a\n    §\n", "print(a)", ""),
    (
        "python",
        "def f(a):\n    §\n",
        "if a:\n        return 1\n        print(2)\n    return 3",
        "if a:\n        return 1",
    ),
    ("python", "for a in b:\n    §\n", "break\n    print(a)", "break"),
    (
        "python",
        "for a in b:\n    if a:\n        §\n",
        "continue\n        c = a\n    d = 1",
        "continue",
    ),
    (
        "python",
        "def f():\n    §\n",
        "raise ValueError(\n        1\n    )\n    return 2",
        "raise ValueError(\n        1\n    )",
    ),
    ("python", "def f():\n    return 1\n\n    §\n", "return 2", ""),
    ("python", "def f():\n    return 1\n    # not yet\n    §\n", "x = 2", ""),
    ("javascript", "function f(a) {\n  §\n}\n", "return a;\n  a += 1;", "return a;"),
    ("javascript", "function f(a) {\n  throw a;\n  §\n}\n", "return b;", ""),
    ("typescript", "for (const a of b) {\n  §\n}\n", "if (a) {\n    break;\n    c();\n  }", ""),
    ("go", "func f() int {\n\t§\n}\n", "return 1\n\tx := 2", "return 1"),
    ("rust", "fn f() -> u8 {\n    §\n}\n", "return 1;\n    let x = 2;", "return 1;"),
    ("java", "int f() {\n    §\n}\n", "throw new Error(a);\n    return 2;", "throw new Error(a);"),
    ("c", "int f(void) {\n    §\n}\n", "goto end;\n    x = 2;", "goto end;"),
    ("cpp", "int f() {\n    return g(\n        1);\n    §\n}\n", "x = 2;", ""),
    ("bash", "f() {\n  §\n}\n", "return 1\n  echo done", "return 1"),
    (
        "python",
        "def f():\n    try:\n        §\n    except E:\n        pass\n",
        "return a()\n        log(b)",
        "return a()",
    ),
    ("python", "def f():\n    return {\n        'a': 1,\n    }\n    §\n", "x = 2", ""),
    (
        "python",
        "while a:\n    if b:\n        c()\n        break\n    else:\n        §\n",
        "continue\n        d()",
        "continue",
    ),
    (
        "javascript",
        "function f() {\n  §\n}\n",
        "return {\n    a,\n  };\n  b();",
        "return {\n    a,\n  };",
    ),
    ("go", "for {\n\tif a {\n\t\tbreak\n\t\t§\n\t}\n}\n", "b()", ""),
    ("java", "for (A a : b) {\n    continue;\n    §\n}\n", "c(a);", ""),
]
