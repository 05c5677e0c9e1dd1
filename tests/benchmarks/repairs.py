"""Seeded defects in installed packages, and the repairs that Surefill offers for them.

``python tests/benchmarks/repairs.py --package joblib --package pluggy --count 200`` breaks correct
code in one place at a time and asks the server's own rooms what is wrong and how to mend it. A
repair is right when it gives the original text back, whitespace aside. It makes things worse when
Python's parser or the type checker finds more in the text than before.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from defects import KINDS, Defect, defects

from surefill.budget import Deadline
from surefill.completion.loading import load_model
from surefill.diagnostics.apis import api_problems
from surefill.diagnostics.calls import keyword_calls
from surefill.diagnostics.inquiry import Inquiry
from surefill.diagnostics.problem import Problem
from surefill.diagnostics.syntax import syntax_problems
from surefill.engine.interface import Cancellation
from surefill.oracle.factory import create_oracles
from surefill.repair.edit import Repair, edited
from surefill.repair.model import Author
from surefill.repair.service import RepairRequest, find_repairs
from surefill.settings import Settings
from surefill.syntax.document import Document, Snapshot
from surefill.syntax.languages import language_for

PACKAGES = ("joblib", "pluggy", "nox", "humanize")
_CHECK_SECONDS = 60.0


class Bench:
    """The rooms of the server, without an editor."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        oracle = {"python": arguments.python} if arguments.python else {}
        self.settings, _ = Settings.parse({"oracle": oracle})
        self.model = None if arguments.no_model else load_model(self.settings)
        self.oracle = create_oracles(self.settings.oracle, [folder])
        self.deadline = arguments.deadline
        self.verbose = arguments.verbose
        self.counts: Counter[tuple[str, str]] = Counter()
        self.seconds: list[float] = []
        self._threads = ThreadPoolExecutor(1)

    async def in_thread(self, work: Callable):
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def with_model(self, work: Callable, cancel: Cancellation):
        if self.model is None:
            return None
        author = Author(self.model.engine, self.model.context, cancel)
        return await self.in_thread(lambda: work(author))

    def checker(self, seconds: float) -> Inquiry:
        async def ask(question: Callable):
            return await question(self.oracle.of("python"))

        return Inquiry(ask, time.monotonic() + seconds)

    async def take(self, defect: Defect) -> bool:
        """Count what becomes of a defect; False for one that is none in the checker's eyes."""
        uri = defect.path.as_uri()
        sound = snapshot_of(uri, defect.original)
        broken = snapshot_of(uri, defect.text)
        before = await self.checker(_CHECK_SECONDS).errors(sound)
        after = await self.checker(_CHECK_SECONDS).errors(broken)
        if before is None or after is None:
            raise SystemExit("The type checker does not answer.")
        if len(after) <= len(before) and parses(defect.text):
            return False
        self._count(defect, "seeded")
        old = await self._problems(sound)
        known = {(each.category, each.message) for each in old}
        found = [
            problem
            for problem in await self._problems(broken)
            if (problem.category, problem.message) not in known
        ]
        if not found:
            self._tell(defect, [], [], [])
            return True
        self._count(defect, "noticed")
        nearest = min(found, key=lambda each: abs(each.range.start.line - defect.line))
        started = time.perf_counter()
        cancel = Cancellation(Deadline.after(self.deadline))
        request = RepairRequest(broken, nearest, cancel)
        repairs = await find_repairs(request, self, self.checker(self.deadline))
        self.seconds.append(time.perf_counter() - started)
        right = [is_right(defect, broken, repair) for repair in repairs]
        self._count(defect, "offered", bool(repairs))
        self._count(defect, "first", right[:1] == [True])
        self._count(defect, "among three", any(right))
        sure = [is_right for each, is_right in zip(repairs, right, strict=True) if each.preferred]
        self._count(defect, "preferred", bool(sure))
        self._count(defect, "preferred wrong", sure == [False])
        worse = [
            await self._is_worse(defect, broken, repair, (before, after)) for repair in repairs
        ]
        self._count(defect, "worse", sum(worse))
        if right[:1] != [True] or any(worse) or sure == [False]:
            self._tell(defect, found, repairs, worse)
        return True

    async def _is_worse(
        self, defect: Defect, broken: Snapshot, repair: Repair, known: tuple[Sized, Sized]
    ) -> bool:
        text = edited(broken, repair.range, repair.text)
        errors = await self.checker(_CHECK_SECONDS).errors(text) or ()
        return len(errors) > max(map(len, known)) or (parses(defect.text) and not parses(text.text))

    async def _problems(self, snapshot: Snapshot) -> list[Problem]:
        syntax = await self.in_thread(lambda: syntax_problems(snapshot))
        calls = await self.in_thread(lambda: keyword_calls(snapshot))
        apis = await api_problems(snapshot, self.checker(_CHECK_SECONDS), syntax, calls)
        return [*syntax, *(apis or ())]

    def _count(self, defect: Defect, what: str, number: int = 1) -> None:
        self.counts[defect.kind, what] += number

    def _tell(
        self, defect: Defect, found: list[Problem], repairs: Sequence[Repair], worse: list[bool]
    ) -> None:
        if not self.verbose:
            return
        lines = defect.text.split("\n")
        print(f"--- {defect.kind}: {defect.path}:{defect.line + 1}")
        print("\n".join(lines[max(0, defect.line - 1) : defect.line + 2]))
        print("was:", defect.original.split("\n")[defect.line].strip())
        for problem in found[:3]:
            print("  problem:", problem.range.start, problem.message)
        for repair, bad in zip(repairs, worse, strict=True):
            sure = " (preferred)" if repair.preferred else ""
            print("  WORSE:" if bad else "  repair:", repair.title, sure)


def snapshot_of(uri: str, text: str) -> Snapshot:
    return Document(uri, language_for("python", None), text).snapshot()


def parses(text: str) -> bool:
    try:
        compile(text, "<defect>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def is_right(defect: Defect, broken: Snapshot, repair: Repair) -> bool:
    text = edited(broken, repair.range, repair.text).text
    return "".join(text.split()) == "".join(defect.original.split())


def copied(packages: list[str], target: Path) -> list[Path]:
    """The Python files of installed packages, or of folders, copied into a workspace.

    Where they are installed the checker would have nothing to say of them.
    """
    found: list[Path] = []
    for name in packages:
        folder = Path(name)
        if not folder.is_dir():
            spec = importlib.util.find_spec(name)
            if spec is None or spec.origin is None:
                raise SystemExit(f"{name} is neither a folder nor installed here.")
            folder = Path(spec.origin).parent
        only_python = shutil.ignore_patterns("*.so", "*.pyc", "__pycache__")
        copy = shutil.copytree(folder, target / folder.name, ignore=only_python)
        found += sorted(copy.rglob("*.py"))
    return found


async def run(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="surefill-repairs-") as folder:
        await measure(arguments, Path(folder))


async def measure(arguments: argparse.Namespace, folder: Path) -> None:
    files = copied(arguments.package or list(PACKAGES), folder)
    bench = Bench(arguments, folder)
    seeded: Counter[str] = Counter()
    wanted = -(-arguments.count // len(KINDS))
    # Some are defects in nobody's eyes, so that more have to be made than are wanted.
    for defect in defects(files, 40 * arguments.count, arguments.seed):
        if seeded[defect.kind] < wanted and await bench.take(defect):
            seeded[defect.kind] += 1
        if all(seeded[kind] >= wanted for kind in KINDS):
            break
    await bench.oracle.close()
    report(bench)


def report(bench: Bench) -> None:
    columns = ("noticed", "offered", "first", "among three", "preferred")
    print(f"\n| defect | seeded | {' | '.join(columns)} | preferred wrong | worse |")
    print("|---|" + "---|" * (len(columns) + 3))
    for kind in (*KINDS, "all"):
        kinds = KINDS if kind == "all" else (kind,)
        counts = Counter(dict.fromkeys(columns, 0))
        for each in kinds:
            for what in (*columns, "seeded", "worse", "preferred wrong"):
                counts[what] += bench.counts[each, what]
        total = max(1, counts["seeded"])
        shares = " | ".join(f"{100 * counts[what] / total:.0f} %" for what in columns)
        bad = f"{counts['preferred wrong']} | {counts['worse']}"
        print(f"| {kind} | {counts['seeded']} | {shares} | {bad} |")
    if bench.seconds:
        seconds = sorted(bench.seconds)
        print(f"\nseconds for repairs: p50 {seconds[len(seconds) // 2]:.2f}, max {seconds[-1]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--package", action="append", help="installed package or folder, repeatable"
    )
    parser.add_argument("--count", type=int, default=200, help="defects in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--python",
        default=os.environ.get("VIRTUAL_ENV", sys.prefix),
        help="environment for the type checker",
    )
    parser.add_argument("--deadline", type=float, default=5.0, help="seconds for each repair")
    parser.add_argument("--no-model", action="store_true", help="by rules alone")
    parser.add_argument("--verbose", action="store_true", help="show what was not repaired")
    random.seed(0)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
