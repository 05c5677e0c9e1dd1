"""Simple places in simple programs, by language: what a model worth shipping has an answer to.

"¦" is the cursor. Each program shows the pattern that goes on there, and is whole but for what is
missing at the cursor.
"""

PYTHON = (
    "def first(self):\n    return self.first\n\n\ndef second(self):\n    return self.¦\n",
    "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = ¦\n",
    "names = []\nfor name in names:\n    print(name)\n\nages = []\nfor age in ages:\n    print(¦\n",
    "import json\n\n\ndef load(path):\n    with open(path) as file:\n        return json.¦\n",
    "def half(x):\n    return x / 2\n\n\ndef third(x):\n    return x / 3\n\n\n"
    "def fourth(x):\n    return ¦\n",
    "import logging\n\nlogger = ¦\n",
    "def run():\n    pass\n\n\nif __name__ == ¦\n    run()\n",
    'def greet(name):\n    """Say hello."""\n    ¦\n',
)
JAVASCRIPT = (
    "function area(width, height) {\n  return width * height;\n}\n\n"
    "function sum(first, second) {\n  return ¦\n}\n",
    "const names = [];\nfor (const name of names) {\n  console.log(name);\n}\n\n"
    "const ages = [];\nfor (const age of ages) {\n  console.¦\n}\n",
    "class Point {\n  constructor(x, y) {\n    this.x = x;\n    this.y = ¦\n  }\n}\n",
)
TYPESCRIPT = (
    "function area(width: number, height: number): number {\n  return width * height;\n}\n\n"
    "function sum(first: number, second: number): number {\n  return ¦\n}\n",
    "const names: string[] = [];\nfor (const name of names) {\n  console.log(name);\n}\n\n"
    "const ages: number[] = [];\nfor (const age of ages) {\n  console.¦\n}\n",
    "class Point {\n  x: number;\n  y: number;\n\n  constructor(x: number, y: number) {\n"
    "    this.x = x;\n    this.y = ¦\n  }\n}\n",
)
SQL = (
    "SELECT id, name FROM users WHERE id = 1;\nSELECT id, name FROM ¦\n",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n"
    "INSERT INTO users (id, name) VALUES (1, 'Ann');\nINSERT INTO users ¦\n",
    "SELECT city, COUNT(*) FROM users GROUP BY city;\nSELECT country, COUNT(*) FROM users ¦\n",
)
GO = (
    "package shapes\n\nfunc Area(width, height int) int {\n\treturn width * height\n}\n\n"
    "func Sum(first, second int) int {\n\treturn ¦\n}\n",
    'package main\n\nimport "fmt"\n\nfunc main() {\n\tnames := []string{"a", "b"}\n'
    "\tfor _, name := range names {\n\t\tfmt.¦\n\t}\n}\n",
    "package load\n\nfunc first() error {\n\tif err := one(); err != nil {\n\t\treturn err\n\t}\n"
    "\tif err := two(); err != nil {\n\t\t¦\n\t}\n\treturn nil\n}\n",
)
JAVA = (
    "class Shapes {\n    static int area(int width, int height) {\n"
    "        return width * height;\n    }\n\n"
    "    static int sum(int first, int second) {\n        return ¦\n    }\n}\n",
    "class Point {\n    private final int x;\n    private final int y;\n\n"
    "    Point(int x, int y) {\n        this.x = x;\n        this.y = ¦\n    }\n}\n",
    "class Main {\n    public static void main(String[] args) {\n"
    "        for (String name : args) {\n            System.out.¦\n        }\n    }\n}\n",
)
RUST = (
    "fn area(width: u32, height: u32) -> u32 {\n    width * height\n}\n\n"
    "fn sum(first: u32, second: u32) -> u32 {\n    ¦\n}\n",
    "struct Point {\n    x: i32,\n    y: i32,\n}\n\nimpl Point {\n"
    "    fn x(&self) -> i32 {\n        self.x\n    }\n\n"
    "    fn y(&self) -> i32 {\n        self.¦\n    }\n}\n",
    'fn main() {\n    let names = vec!["a", "b"];\n    for name in names {\n        println!¦\n'
    "    }\n}\n",
)
C = (
    "int area(int width, int height)\n{\n    return width * height;\n}\n\n"
    "int sum(int first, int second)\n{\n    return ¦\n}\n",
    "#include <stdio.h>\n\nint main(void)\n{\n    for (int i = 0; i < 10; i++) {\n"
    "        printf(¦\n    }\n    return 0;\n}\n",
    "struct point {\n    int x;\n    int y;\n};\n\n"
    "void move(struct point *p, int x, int y)\n{\n    p->x = x;\n    p->y = ¦\n}\n",
)
CPP = (
    "int area(int width, int height) {\n    return width * height;\n}\n\n"
    "int sum(int first, int second) {\n    return ¦\n}\n",
    "#include <iostream>\n#include <string>\n#include <vector>\n\n"
    "void show(const std::vector<std::string>& names) {\n    for (const auto& name : names) {\n"
    "        std::cout ¦\n    }\n}\n",
    "class Point {\npublic:\n    int x() const { return x_; }\n    int y() const { return ¦\n\n"
    "private:\n    int x_;\n    int y_;\n};\n",
)
BASH = (
    '#!/bin/bash\n\nfor name in one two three; do\n    echo "$name"\ndone\n\n'
    "for age in 1 2 3; do\n    echo ¦\ndone\n",
    '#!/bin/bash\n\nif [ -z "$1" ]; then\n    echo "usage: $0 FILE"\n    exit ¦\nfi\n',
    "#!/bin/bash\n\nfirst=$1\nsecond=$2\nthird=¦\n",
)
JSON = (
    '[\n  {"name": "Ann", "age": 31},\n  {"name": "Bob", "age": 27},\n  {"name": ¦\n]\n',
    '{\n  "first": 1,\n  "second": 2,\n  "third": ¦\n}\n',
    '{\n  "name": "example",\n  "version": ¦\n}\n',
)
HTML = (
    "<ul>\n  <li>One</li>\n  <li>Two</li>\n  <li>¦\n</ul>\n",
    "<!DOCTYPE html>\n<html>\n  <head>\n    <title>¦\n  </head>\n  <body></body>\n</html>\n",
    '<p><a href="one.html">One</a></p>\n<p><a href="two.html">Two</a></p>\n<p><a ¦\n',
)
CSS = (
    "h1 {\n  color: red;\n}\n\nh2 {\n  color: ¦\n}\n",
    ".left {\n  float: left;\n}\n\n.right {\n  float: ¦\n}\n",
    ".box {\n  width: 100px;\n  height: ¦\n}\n",
)
PLACES = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "typescriptreact": TYPESCRIPT,
    "sql": SQL,
    "go": GO,
    "java": JAVA,
    "rust": RUST,
    "c": C,
    "cpp": CPP,
    "bash": BASH,
    "json": JSON,
    "html": HTML,
    "css": CSS,
}
