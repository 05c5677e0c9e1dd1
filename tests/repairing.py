"""Repairs of a text as they are offered, without a model."""

import asyncio

from surefill.budget import Cancellation, Deadline
from surefill.diagnostics.syntax import syntax_problems
from surefill.repair.edit import edited
from surefill.repair.service import RepairRequest, find_repairs
from surefill.syntax.document import Document
from surefill.syntax.languages import language_for


class WithoutModel:
    async def in_thread(self, work):
        return work()

    async def with_model(self, work, cancel):
        return None


def snapshot_of(text, language="python", uri="file:///a"):
    return Document(uri, language_for(language, None), text).snapshot()


def offered(text, language="python", number=0, problem=None, checker=None):
    """The document after each repair of one of its problems, whether preferred, and the title."""
    snapshot = snapshot_of(text, language)
    problem = problem or syntax_problems(snapshot)[number]
    request = RepairRequest(snapshot, problem, Cancellation(Deadline.after(60)))
    repairs = asyncio.run(find_repairs(request, WithoutModel(), checker))
    return [
        (edited(snapshot, each.range, each.text).text, each.preferred, each.title)
        for each in repairs
    ]
