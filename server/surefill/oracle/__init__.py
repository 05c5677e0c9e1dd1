"""A type checker as a child process, asked over LSP about texts that nobody has written yet.

``factory.create_oracles(settings.oracle, folders, on_status=...)`` makes one `Oracles` for an
editor's session; its ``of(language_id)`` gives the `Oracle` of a language, a null one where there
is none. Nothing runs until a document is opened or a question asked. Everything here lives on one
event loop; from another thread ask with ``asyncio.run_coroutine_threadsafe``.

Tell an oracle what the user sees (``open``, ``update``, ``close_document``, ``files_changed``);
that costs nothing, the checker hears of it with the next question. Then ask::

    source = Source(uri, text_with_the_suggestion)
    members = await oracle.members(source, position, deadline=time.monotonic() + 0.1)
    if members and members.lacks("group_by"): ...

Every question (``members``, ``signature``, ``diagnostics``, ``hover``, ``describe``, ``origin``)
answers a value of ``answers`` by its deadline, or an `Unknown`, which is falsy and says why.
Positions are in code points, deadlines in seconds of ``time.monotonic()``. A question about a
suggestion leaves no trace: the user's text is back before any other document is looked at.

When settings or folders change, make other `Oracles` and ``close()`` the old ones.
"""
