"""Installed packages and corpora that are made up, small and always the same, for tests.

Independent of pytest.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from surefill_training.corpus import build, sources

_TEXT = """
account batch buffer cache channel client config counter cursor date deadline document edge entry
event factor field file filter flag folder format frame graph group handler header index item job
key label layer level limit line list lock logger loop mapping message method mode name node
number object offset option order owner packet page parent part path pattern point pool port
prefix price process query queue range rate reader record region report request result row rule
sample scope score section server session shape signal size slot source span stack stage state
step store stream suffix table task text thread token total tree unit user value vector version
view width window worker writer zone
"""
_WORDS = _TEXT.split()


def module(seed: int, functions: int = 8) -> str:
    """Python code of made-up functions; two seeds give texts that are no near duplicates."""
    rng = random.Random(seed)

    def name() -> str:
        return f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}"

    parts = [f'"""The {name()} of the {name()}, number {seed}."""\n\nimport {rng.choice(_WORDS)}\n']
    for _ in range(functions):
        first, second, result = name(), name(), name()
        parts.append(
            f"\n\ndef {name()}({first}, {second}={rng.randint(0, 999)}):\n"
            f'    """Return the {rng.choice(_WORDS)} of {first} by {rng.choice(_WORDS)}."""\n'
            f"    {result} = {first}.{rng.choice(_WORDS)}({second})\n"
            f"    if {result} is None:\n"
            f"        return {rng.choice(_WORDS)}.{name()}({first})\n"
            f"    for {rng.choice(_WORDS)} in {result}:\n"
            f"        {second}.{rng.choice(_WORDS)}[{rng.randint(0, 99)}] = {first} + {second}\n"
            f"    return {result}\n"
        )
    return "".join(parts)


def script(seed: int, functions: int = 8) -> str:
    """The like of ``module`` in TypeScript, valid as such only."""
    rng = random.Random(seed)
    names = iter([f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}" for _ in range(6 * functions)])
    return "".join(
        f"export function {next(names)}({(given := next(names))}: string): string {{\n"
        f'  const {(result := next(names))} = {next(names)}({given}, "{next(names)}");\n'
        f"  return {result}.{next(names)};\n}}\n\n"
        for _ in range(functions)
    )


def queries(seed: int, count: int = 8) -> str:
    """SQL of made-up tables."""
    rng = random.Random(seed)
    names = iter([f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}" for _ in range(4 * count)])
    return "".join(
        f"SELECT {next(names)}, count(*)\nFROM {next(names)}\nWHERE {next(names)} > 3\n"
        f"GROUP BY {next(names)};\n\n"
        for _ in range(count)
    )


def install(
    site: Path,
    name: str,
    files: Mapping[str, str | bytes],
    *,
    version: str = "1.0",
    metadata: str = "License-Expression: MIT",
    record: bool = True,
) -> None:
    """Put a package into a site-packages folder as pip would, with metadata and RECORD."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}\n", encoding="utf-8"
    )
    for path, text in files.items():
        file = site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if record:
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in files), encoding="utf-8")


def install_some(site: Path, modules: int = 6) -> list[str]:
    """Three packages of ``modules`` files each; their names."""
    names = ["alpha", "beta", "gamma"]
    for number, name in enumerate(names):
        files = {f"{name}/m{i}.py": module(100 * number + i) for i in range(modules)}
        install(site, name, files)
    return names


def make_corpus(folder: Path, modules: int = 6) -> Path:
    """A corpus of three packages, ``gamma`` held out."""
    names = install_some(folder / "site", modules)
    found = [sources.from_package(name, [folder / "site"]) for name in names]
    build.build(found, folder / "corpus", build.CorpusOptions(heldout=("gamma",)))
    return folder / "corpus"
