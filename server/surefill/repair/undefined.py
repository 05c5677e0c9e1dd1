"""Candidates for a name that is defined nowhere: an import, a constant's right name, a slip.

An import is only proposed here. Whether the environment has the module, and the module the name,
the checker says: what it does not know is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from surefill.diagnostics.inquiry import Inquiry
from surefill.diagnostics.problem import Problem
from surefill.repair.edit import Candidate
from surefill.repair.foreign import constant_candidate
from surefill.repair.names import slips
from surefill.repair.packages import is_known
from surefill.repair.region import newline_of
from surefill.syntax.document import Snapshot
from surefill.syntax.position import Position, Range

_ALIASES = {
    "dt": "import datetime as dt",
    "mpl": "import matplotlib as mpl",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "nx": "import networkx as nx",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "tf": "import tensorflow as tf",
}
_HOMES = {
    "abc": "ABC abstractmethod",
    "bs4": "BeautifulSoup",
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "collections.abc": (
        "AsyncIterator Awaitable Callable Collection Generator Hashable Iterable Iterator Mapping"
        " MutableMapping Sequence"
    ),
    "concurrent.futures": "ProcessPoolExecutor ThreadPoolExecutor as_completed",
    "contextlib": "asynccontextmanager closing contextmanager nullcontext suppress",
    "copy": "deepcopy",
    "dataclasses": "dataclass field",
    "datetime": "datetime timedelta timezone",
    "decimal": "Decimal",
    "enum": "Enum IntEnum StrEnum",
    "fastapi": "FastAPI",
    "flask": "Flask",
    "fractions": "Fraction",
    "functools": "cached_property lru_cache partial reduce wraps",
    "itertools": "chain combinations count cycle groupby islice permutations product",
    "math": "ceil floor sqrt",
    "pathlib": "Path PurePath",
    "pprint": "pprint",
    "pydantic": "BaseModel",
    "random": "randint shuffle",
    "tempfile": "NamedTemporaryFile TemporaryDirectory",
    "textwrap": "dedent",
    "time": "perf_counter sleep",
    "tqdm": "tqdm",
    "types": "SimpleNamespace",
    "typing": (
        "Any ClassVar Final Generic Literal NamedTuple NoReturn Optional Protocol Self"
        " TYPE_CHECKING TypeVar TypedDict Union cast overload"
    ),
    "urllib.parse": "quote urlencode urljoin urlparse",
    "uuid": "uuid4",
}
"""Names that are imported from a module much more often than they are anything else."""
_IMPORT = re.compile(r"(?:import|from)\s+[\w.]")
_WORD = re.compile(r"[^\W\d]\w{2,}")
_STRING = re.compile(r"[rRuU]?[\"']")
_LIKELY = 4.0


async def undefined_candidates(
    snapshot: Snapshot, problem: Problem, checker: Inquiry
) -> list[Candidate]:
    """What could make a name that is defined nowhere one that is, likeliest first."""
    constant = constant_candidate(problem.range, problem.name, snapshot.text)
    found = [constant] if constant else []
    found += _imports(snapshot, problem)
    members = await checker.members(snapshot, problem.range.start)
    names = members.names if members is not None else frozenset()
    written = frozenset(_WORD.findall(snapshot.text))
    found += slips(problem.range, problem.name, names | written)
    return found


def _imports(snapshot: Snapshot, problem: Problem) -> Iterator[Candidate]:
    """The import that a name is usually got by, where the module's use fits it."""
    name, at = problem.name, _place(snapshot)
    line = snapshot.line(problem.range.end.line)
    statements = [_ALIASES[name]] if name in _ALIASES else []
    if line[problem.range.end.character :].lstrip().startswith(".") and is_known(name):
        statements.append(f"import {name}")
    statements += [
        f"from {module} import {name}" for module, names in _HOMES.items() if name in names.split()
    ]
    newline = newline_of(snapshot)
    for number, statement in enumerate(statements):
        certain = number == 0 and len(statements) == 1
        yield Candidate(
            Range(at, at),
            statement + newline,
            f"Add `{statement}`",
            _LIKELY - number,
            "certain" if certain else "guess",
        )


def _place(snapshot: Snapshot) -> Position:
    """Where an import is put: after the first block of imports, else before the first statement."""
    tree = snapshot.tree
    place = _first(snapshot)
    for node in tree.root_node.children if tree is not None else ():
        text = snapshot.line(node.start_point[0])
        if node.type != "comment":
            if not (_IMPORT.match(text) or _STRING.match(text)):
                break
            place = node.end_point[0] + 1
    return snapshot.clamp(Position(place, 0))


def _first(snapshot: Snapshot) -> int:
    """The line after the comments that a file begins with, as its ``#!`` and its licence."""
    for number, line in enumerate(snapshot.lines):
        if not line.startswith("#"):
            return number
    return 0
