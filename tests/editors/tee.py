"""Stands between an editor and the server: writes down what passes, and asks questions of its own.

``tee.py FOLDER [--without CAPABILITY] [--until FILE] -- COMMAND``: what passes goes to
``FOLDER/frames.jsonl``, and a request that comes as a line of JSON over the socket
``FOLDER/socket`` is put to the server that was started last. Of a capability that it is to be
without, the editor is not told, and of nothing until a file that is named is there.
"""

import argparse
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

TEE = Path(__file__)

OWN = "tee-"
"""What the ids of our own requests begin with."""


def frames(folder: Path) -> list[dict]:
    """What editors and servers have said to each other through a tee, and ``at`` what second."""
    path = folder / "frames.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Tee:
    """One server, and the editor on the standard streams."""

    def __init__(self, folder: Path, command: list[str], without: str, until: Path | None):
        self._folder = folder
        self._without = without
        self._until = until
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._frames = (folder / "frames.jsonl").open("a")
        self._lock = threading.Lock()
        self._answers: dict[str, queue.Queue] = {}

    def run(self) -> int:
        """Pass on until the server ends; returns its exit status."""
        for work in (self._from_editor, self._from_questions):
            threading.Thread(target=work, daemon=True).start()
        while self._until and not self._until.exists():
            time.sleep(0.05)
        while message := _read(self._server.stdout):
            if str(message.get("id")).startswith(OWN) and "method" not in message:
                self._answers.pop(message["id"]).put(message)
                continue
            result = message.get("result")
            if isinstance(result, dict) and "capabilities" in result:
                result["capabilities"].pop(self._without, None)
            self._note("server", message)
            _write(sys.stdout.buffer, message)
        return self._server.wait()

    def _from_editor(self):
        while message := _read(sys.stdin.buffer):
            self._note("editor", message)
            self._send(message)
        self._server.stdin.close()

    def _from_questions(self):
        path = self._folder / "socket"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            number = 0
            while True:
                connection, _ = listener.accept()
                with connection, connection.makefile("rw") as lines:
                    number += 1
                    request = {"jsonrpc": "2.0", "id": f"{OWN}{number}", **json.loads(next(lines))}
                    answer = self._answers[request["id"]] = queue.Queue()
                    self._send(request)
                    lines.write(json.dumps(answer.get()) + "\n")

    def _send(self, message: dict):
        with self._lock:
            _write(self._server.stdin, message)

    def _note(self, source: str, message: dict):
        with self._lock:
            noted = {"from": source, "at": time.monotonic(), **message}
            self._frames.write(json.dumps(noted) + "\n")
            self._frames.flush()


def _read(stream: IO[bytes]) -> dict | None:
    """The next message; None at the end."""
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length)) if length else None


def _write(stream: IO[bytes], message: dict):
    body = json.dumps(message).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without", default="")
    parser.add_argument("--until", type=Path)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    # Whoever still waits for input must not hold up the end.
    tee = Tee(arguments.folder, arguments.command, arguments.without, arguments.until)
    os._exit(tee.run())


if __name__ == "__main__":
    main()
