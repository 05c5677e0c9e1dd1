"""Python environments with one library, made for the purpose."""

import sys
import textwrap
import venv
from pathlib import Path

LIBRARY = {
    "__init__.py": """
        from typing import Any, TypedDict, Unpack, overload

        class Frame:
            '''Rows and columns.'''
            columns: list[str] = []
            def groupby(self, by: str) -> "Frame": return self
            def merge(self, other: "Frame") -> "Frame": return self
            def __getattr__(self, name: str) -> Any: ...

        class Options(TypedDict, total=False):
            timeout: float
            verify: bool

        def post(url: str, data: bytes | None = None, **kwargs: Unpack[Options]) -> int:
            '''Send `data` to a server.'''
            return 200

        def anything(first: int, /, second: int, *rest: int, third: str = "a, b", **more): ...

        @overload
        def read(path: str) -> str: ...
        @overload
        def read(path: str, *, binary: bool) -> bytes: ...
        def read(path: str, *, binary: bool = False) -> str | bytes: return ""

        def find(name: str) -> "Frame | None": return None
    """,
    "py.typed": "",
    "many.py": "\n".join(f"name_{number:04} = {number}" for number in range(1500)),
    "parts/__init__.py": "",
    "parts/wheel.py": "radius: int = 3\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))


def make_environment(folder: Path, package: str = "shelf", version: str = "1.2.3") -> Path:
    """A virtual environment in which one distribution is installed."""
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    (site,) = folder.rglob("site-packages")
    write(site / package, LIBRARY)
    info = site / f"{package}_dist-{version}.dist-info"
    record = "".join(f"{package}/{name},,\n" for name in LIBRARY)
    write(
        info,
        {
            "METADATA": f"Metadata-Version: 2.1\nName: {package}-dist\nVersion: {version}\n",
            "RECORD": record,
            "INSTALLER": "pip\n",
        },
    )
    return folder
