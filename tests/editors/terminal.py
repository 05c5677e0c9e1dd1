"""An editor in a terminal: keys go in as a keyboard sends them, the screen comes out as text."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import psutil
import pyte

from editors.isolation import end, isolated
from editors.pictures import draw

PATIENCE = 60.0
"""Seconds until something that does not happen fails a test. Not a bound on anything tested."""

ROWS, COLUMNS = 40, 120

ESCAPE, ENTER, TAB = "\x1b", "\r", "\t"


class _Screen(pyte.Screen):
    """Takes a question that pyte itself cannot: Helix asks whether colours are dark or light."""

    def report_device_status(self, mode: int, private: bool = False):
        if not private:
            super().report_device_status(mode)


def _without_questions(data: bytes) -> bytes:
    """What a program sends, less the device control strings, which pyte takes for text."""
    return re.sub(rb"\x1bP.*?\x1b\\", b"", data, flags=re.DOTALL)


class Terminal:
    """One program on a screen of its own."""

    def __init__(self, command: list[str], variables: dict[str, str], folder: Path):
        self._screen = _Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._screen.write_process_input = lambda text: os.write(self._master, text.encode())
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *isolated(command, variables)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
        )
        os.close(slave)
        self.process = psutil.Process(self._process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the program has ended
                return
            if not data:
                return
            with self._lock:
                self._stream.feed(_without_questions(data))

    def keys(self, text: str):
        os.write(self._master, text.encode())

    def screen(self) -> str:
        with self._lock:
            # Not ``display``, which fails where half of a wide character was written over.
            rows = [self._screen.buffer[row] for row in range(ROWS)]
            lines = ["".join(row[column].data for column in range(COLUMNS)) for row in rows]
            return "\n".join(line.rstrip() for line in lines)

    def picture(self, path: Path, light: bool = False):
        """Keep what the screen looks like."""
        with self._lock:
            draw(self._screen, path, light)

    def wait(self, question):
        """The first true answer to ``question``, which is asked again and again."""
        give_up = time.monotonic() + PATIENCE
        while not (answer := question()):
            assert time.monotonic() < give_up, self.screen()
            assert self._process.poll() is None, self.screen()
            time.sleep(0.05)
        return answer

    def wait_for(self, text: str):
        self.wait(lambda: text in self.screen())

    def press_until(self, keys: str, text: str):
        """Press ``keys`` until ``text`` is on the screen, with time for an answer in between.

        For what a server that has just been started may answer with nothing; a question that is
        asked again takes back the one before.
        """
        pressed = float("-inf")

        def shown():
            nonlocal pressed
            if text in self.screen():
                return True
            if time.monotonic() > pressed + PATIENCE / 12:
                self.keys(keys)
                pressed = time.monotonic()
            return False

        self.wait(shown)

    def close(self) -> list[psutil.Process]:
        """End the program; returns processes that are still there, of which there are none."""
        left = end(self._process, PATIENCE)
        os.close(self._master)
        self._reader.join(PATIENCE)
        return left
