"""Branches and guards are alike, and rightly so."""

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
    (
        "python",
        "for a in range(3):\n    for b in range(3):\n        §\n",
        "for c in range(3):\n            print(a, b, c)",
    ),
    (
        "python",
        "if a is None:\n    a = []\nif b is None:\n    §\n",
        "b = []\nif c is None:\n    c = []",
    ),
    ("python", "if not a:\n    raise ValueError('a')\n§\n", "if not b:\n    raise ValueError('b')"),
    (
        "python",
        "for a in b:\n    if a:\n        continue\n    §\n",
        "if c:\n        continue\n    d(a)",
    ),
    ("python", "with lock:\n    count += 1\nwork()\nwith lock:\n    §\n", "count += 1"),
    ("javascript", "if (!a) return null;\n§\n", "if (!b) return null;\nreturn a + b;"),
    ("javascript", "p.then((r) => {\n  done(r);\n}).catch((e) => {\n  §\n});\n", "done(e);"),
    (
        "c",
        "if (a) {\n    free(a);\n    return -1;\n}\nif (b) {\n    §\n}\n",
        "free(b);\n    return -1;",
    ),
    ("c", "    return a;\nfail:\n    §\n", "free(a);\n    return NULL;"),
    (
        "bash",
        'if [ -z "$a" ]; then\n  usage\n  exit 1\nfi\nif [ -z "$b" ]; then\n  §\nfi\n',
        "usage\n  exit 1",
    ),
    ("bash", "a() {\n  local x=1\n}\n\n§\n", "b() {\n  local x=1\n}"),
]
