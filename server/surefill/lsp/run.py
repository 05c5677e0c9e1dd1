"""Runs a session: frames from a stream, one after the other, to a server, until either ends.

``serve_stdio`` and ``serve_tcp`` are what the command line calls. Knows streams and processes,
nothing of documents or models.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from surefill.errors import InputError
from surefill.frames import ByteReader, FrameError, FrameReader
from surefill.lsp.transport import FrameWriter, claim_stdio

if TYPE_CHECKING:
    from surefill.lsp.server import SurefillServer

logger = logging.getLogger(__name__)

_PARENT_POLL_SECONDS = 3.0
_CLOSE_SECONDS = 2.0

ServerFactory = Callable[[], "SurefillServer"]


def serve_stdio(create: ServerFactory | None = None) -> int:
    """Serve one editor over stdin and stdout; returns the process's exit status."""
    _tune_interpreter()
    stream_in, stream_out = claim_stdio()
    status = run_session(stream_in, stream_out, create or _default_factory)
    _leave_without_stragglers(status)
    return status


def serve_tcp(host: str = "127.0.0.1", port: int = 0, create: ServerFactory | None = None) -> int:
    """Serve editors over TCP, one at a time, each with a server of its own, until interrupted."""
    _tune_interpreter()
    with _listen(host, port) as listener:
        address = listener.getsockname()
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        sys.stderr.write(f"surefill: listening on {shown}:{address[1]}\n")
        sys.stderr.flush()
        try:
            while True:
                connection, _ = listener.accept()
                # An editor that vanishes takes its own session with it, and no other.
                with suppress(OSError), connection, connection.makefile("rb") as incoming:
                    with connection.makefile("wb") as outgoing:
                        run_session(incoming, outgoing, create or _default_factory, remote=True)
                    connection.shutdown(socket.SHUT_RDWR)
        except KeyboardInterrupt:
            return 0


def run_session(
    stream_in: ByteReader, stream_out: BinaryIO, create: ServerFactory, *, remote: bool = False
) -> int:
    """Serve until ``exit``, the end of the stream or the editor's death; returns the status.

    0 when the editor asked for a shutdown first, otherwise 1. With a ``remote`` editor anyone may
    be at the other end: what is no message ends the session, and its process is not ours to watch.
    """
    return asyncio.run(_session(stream_in, stream_out, create, remote=remote))


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises InputError where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}.",
            "Choose another port, or 0 for any that is free.",
        ) from error


async def _session(
    stream_in: ByteReader, stream_out: BinaryIO, create: ServerFactory, *, remote: bool
) -> int:
    loop = asyncio.get_running_loop()
    frames: asyncio.Queue[bytes | FrameError | None] = asyncio.Queue()

    def deliver(frame: bytes | FrameError | None) -> None:
        with suppress(RuntimeError):  # the session has ended: nobody listens any more
            loop.call_soon_threadsafe(frames.put_nowait, frame)

    FrameReader(stream_in, deliver, strict=remote).start()
    server = create()
    protocol = server.protocol
    protocol.set_writer(FrameWriter(stream_out, on_lost=lambda: deliver(None)))
    ended = threading.Event()
    if not remote:
        protocol.on_initialized = lambda pid: _watch_parent(pid, ended, lambda: deliver(None))
    try:
        while protocol.exit_status is None and (frame := await frames.get()) is not None:
            if isinstance(frame, FrameError):
                protocol.refuse_frame(frame.reason)
            else:
                protocol.receive(frame)
            # Let what the message started run up to its first await before the next message is
            # read: a request sees the documents as they were when the editor sent it.
            await asyncio.sleep(0)
        return protocol.leave()
    finally:
        ended.set()
        await server.close(_CLOSE_SECONDS)


def _tune_interpreter() -> None:
    """Short turns for each thread, and no lines on stderr for what only looks like trouble."""
    # A keystroke passes two threads, each of which may wait for a whole turn of the worker's.
    sys.setswitchinterval(0.0005)
    # pygls warns of every cancellation that comes a moment too late.
    logging.getLogger("pygls").setLevel(logging.ERROR)


def _watch_parent(pid: int | None, ended: threading.Event, on_death: Callable[[], None]) -> None:
    """Call ``on_death`` when the editor's process is gone, until the session has ``ended``.

    The end of stdin says the same, unless something else holds the other end of the pipe. A
    process that cannot be seen at the start (another container's number) is not watched.
    """
    if pid is None or os.name != "posix" or not _alive(pid):
        return

    def watch() -> None:
        while _alive(pid):
            if ended.wait(_PARENT_POLL_SECONDS):
                return
        on_death()

    threading.Thread(target=watch, name="surefill-parent", daemon=True).start()


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _leave_without_stragglers(status: int) -> None:
    """End the process at once when a thread is still at work for nobody.

    Inside the model's native code the interpreter would tear the runtime down under it, which ends
    in a crash or a hang; for one that looks into a long document it would wait.
    """
    stragglers = ("surefill-engine", "surefill-diagnostics")
    if any(each.name.startswith(stragglers) for each in threading.enumerate()):
        logging.shutdown()
        sys.stderr.flush()
        os._exit(status)


def _default_factory() -> SurefillServer:
    # Half of a start is the import of the protocol's hundreds of classes. They all stay: looking
    # for garbage among them costs a tenth of it now and time in every later collection.
    gc.disable()
    from surefill.lsp.server import create_server  # after the reader has started

    server = create_server()
    gc.freeze()
    gc.enable()
    return server
