import io
import subprocess
import sys

import pytest

from surefill.lsp.transport import MAX_MESSAGE_BYTES, FrameError, FrameWriter, read_frames


def frames(data: bytes):
    return list(read_frames(io.BytesIO(data)))


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_frames_follow_each_other():
    assert frames(frame(b"{}") + frame(b"[1]")) == [b"{}", b"[1]"]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
        b"Content-Type: x\r\ncontent-length:2\r\n\r\n",
        b"Content-Length: 2\n\n",
    ],
)
def test_headers_in_any_order_and_case(head):
    assert frames(head + b"{}") == [b"{}"]


@pytest.mark.parametrize("length", [b"0", b"-5", b"999999999999", b"9" * 40])
def test_an_impossible_length_costs_one_message(length):
    broken = b"Content-Length: " + length + b"\r\n\r\n" + b'{"lost": 1}'
    first, second = frames(broken + frame(b"{}"))
    assert isinstance(first, FrameError)
    assert second == b"{}"


def test_a_length_that_is_too_short_costs_one_message():
    broken = b"Content-Length: 4\r\n\r\n" + b'{"lost": 1}'
    assert frames(broken + frame(b"{}")) == [b'{"lo', b"{}"]


def test_noise_between_frames_is_skipped():
    assert frames(b"\x00\xff noise\r\n\r\n" + frame(b"{}") + b"more\n" + frame(b"[]")) == [
        b"{}",
        b"[]",
    ]


def test_an_unfinished_body_ends_the_stream():
    assert frames(b"Content-Length: 10\r\n\r\n{") == []


def test_a_header_without_end_is_not_collected_in_memory():
    assert frames(b"x" * 200_000 + b"\r\n" + frame(b"{}")) == [b"{}"]
    assert MAX_MESSAGE_BYTES > 100_000_000


def test_a_writer_whose_reader_is_gone_says_so_once():
    class Gone(io.BytesIO):
        def write(self, data):
            raise BrokenPipeError

    lost = []
    writer = FrameWriter(Gone(), on_lost=lambda: lost.append(1))
    writer.write(b"a")
    writer.write(b"b")
    assert lost == [1]


def test_claimed_stdout_carries_only_the_protocol():
    script = """
import os, subprocess, sys
from surefill.lsp.transport import claim_stdio
stream_in, stream_out = claim_stdio()
print("printed")
os.write(1, b"native\\n")
subprocess.run([sys.executable, "-c", "print('child', len(input.__self__.open(0).read()))"])
stream_out.write(b"protocol " + stream_in.read()); stream_out.flush()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], input=b"question", capture_output=True, check=True
    )
    assert done.stdout == b"protocol question"
    for line in (b"printed", b"native", b"child 0"):
        assert line in done.stderr


HTTP = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999999\r\n"
    b"Referer: http://elsewhere/?Content-Length:2\r\n\r\n{}"
)


@pytest.mark.parametrize(
    "noise",
    [
        HTTP,
        b"Content-Length: 4\r\n\r\n" + b'{"x": 1}',
        b"noise\r\n",
        b"x Content-Length: 2\r\n\r\n",
    ],
)
def test_read_strictly_noise_ends_the_stream(noise):
    read = list(read_frames(io.BytesIO(frame(b"[1]") + noise + frame(b"{}")), strict=True))
    assert read[0] == b"[1]"
    assert b"{}" not in read


def test_read_strictly_headers_may_still_be_in_any_order():
    head = b"Content-Type: x; charset=utf-8\r\ncontent-length: 2\r\n\r\n"
    assert list(read_frames(io.BytesIO(head + b"{}" + frame(b"[]")), strict=True)) == [b"{}", b"[]"]


def test_read_strictly_an_impossible_length_ends_the_stream():
    (error,) = read_frames(io.BytesIO(b"Content-Length: 0\r\n\r\n" + frame(b"{}")), strict=True)
    assert isinstance(error, FrameError)
