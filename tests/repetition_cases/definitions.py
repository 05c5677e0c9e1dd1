"""Tests, methods and overloads are alike, and rightly so."""

DEFINITIONS = [
    (
        "python",
        (
            'def test_a():\n    client = make()\n    reply = client.get("/a")\n'
            "    assert reply.ok\n\n\n§\n"
        ),
        ('def test_b():\n    client = make()\n    reply = client.get("/b")\n    assert reply.ok'),
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
    (
        "typescript",
        "type A = {\n  kind: 'a';\n  id: number;\n};\n\n§\n",
        "type B = {\n  kind: 'b';\n  id: number;\n};",
    ),
    (
        "rust",
        "impl A {\n    fn new() -> Self {\n        A\n    }\n}\n\nimpl B {\n    §\n}\n",
        "fn new() -> Self {\n        B\n    }",
    ),
    (
        "rust",
        "#[derive(Debug, Clone)]\nstruct A {\n    a: u8,\n}\n\n§\n",
        "#[derive(Debug, Clone)]\nstruct B {\n    a: u8,\n}",
    ),
    (
        "java",
        "@Override\npublic int a() {\n    return 1;\n}\n\n§\n",
        "@Override\npublic int b() {\n    return 2;\n}",
    ),
    (
        "java",
        "public Foo(int a) {\n    this.a = a;\n}\n\n§\n",
        "public Foo(int a, int b) {\n    this.a = a;\n    this.b = b;\n}",
    ),
    (
        "cpp",
        "template <typename T>\nT f(T a) {\n    return a;\n}\n\n§\n",
        "template <typename T>\nT g(T a) {\n    return a;\n}",
    ),
    (
        "python",
        (
            "def test_a(tmp_path):\n    p = tmp_path / 'a'\n    p.write_text('x')\n"
            "    assert f(p) == 1\n\n\ndef test_b(tmp_path):\n    §\n"
        ),
        "p = tmp_path / 'a'\n    p.write_text('y')\n    assert f(p) == 2",
    ),
    (
        "python",
        "class A:\n    @staticmethod\n    def a():\n        return 1\n\n    §\n",
        "@staticmethod\n    def b():\n        return 2",
    ),
    (
        "python",
        "class A:\n    @abstractmethod\n    def a(self): ...\n\n    §\n",
        "@abstractmethod\n    def b(self): ...",
    ),
    (
        "python",
        "@pytest.mark.slow\ndef test_a():\n    pass\n\n\n§\n",
        "@pytest.mark.slow\ndef test_b():\n    pass",
    ),
    ("python", "if TYPE_CHECKING:\n    class A: ...\nelse:\n    §\n", "class A:\n        x = 1"),
    (
        "python",
        "class AError(Exception):\n    pass\n\n\n§\n",
        "class BError(Exception):\n    pass\n\n\nclass CError(Exception):\n    pass",
    ),
    (
        "javascript",
        (
            "it('a', async () => {\n  await p.click('x');\n  await p.fill('y', 'a');\n"
            "});\n\nit('b', async () => {\n  §\n});\n"
        ),
        "await p.click('x');\n  await p.fill('y', 'b');",
    ),
    (
        "typescript",
        "export function a(): void {\n  log('a');\n}\n\n§\n",
        "export function b(): void {\n  log('b');\n}",
    ),
    ("javascript", "for (let i = 0; i < a; i++) {\n  for (let j = 0; §\n", "j < b; j++) {"),
    ("c", "int f(void)\n{\n    return 0;\n}\n\nint g(void)\n§\n", "{\n    return 0;\n}"),
    (
        "ruby",
        "class A\n  def to_s\n    @a\n  end\nend\n\nclass B\n  §\nend\n",
        "def to_s\n    @b\n  end",
    ),
]
