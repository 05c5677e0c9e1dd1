import io

import pytest

from surefill.frames import MAX_MESSAGE_BYTES, FrameError, framed, read_frames


def frames(data: bytes):
    return list(read_frames(io.BytesIO(data)))


def test_frames_follow_each_other():
    assert frames(framed(b"{}") + framed(b"[1]")) == [b"{}", b"[1]"]


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
    first, second = frames(broken + framed(b"{}"))
    assert isinstance(first, FrameError)
    assert second == b"{}"


def test_a_length_that_is_too_short_costs_one_message():
    broken = b"Content-Length: 4\r\n\r\n" + b'{"lost": 1}'
    assert frames(broken + framed(b"{}")) == [b'{"lo', b"{}"]


def test_noise_between_frames_is_skipped():
    assert frames(b"\x00\xff noise\r\n\r\n" + framed(b"{}") + b"more\n" + framed(b"[]")) == [
        b"{}",
        b"[]",
    ]


def test_an_unfinished_body_ends_the_stream():
    assert frames(b"Content-Length: 10\r\n\r\n{") == []


def test_a_header_without_end_is_not_collected_in_memory():
    assert frames(b"x" * 200_000 + b"\r\n" + framed(b"{}")) == [b"{}"]
    assert MAX_MESSAGE_BYTES > 100_000_000


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
    read = list(read_frames(io.BytesIO(framed(b"[1]") + noise + framed(b"{}")), strict=True))
    assert read[0] == b"[1]"
    assert b"{}" not in read


def test_read_strictly_headers_may_still_be_in_any_order():
    head = b"Content-Type: x; charset=utf-8\r\ncontent-length: 2\r\n\r\n"
    assert list(read_frames(io.BytesIO(head + b"{}" + framed(b"[]")), strict=True)) == [
        b"{}",
        b"[]",
    ]


def test_read_strictly_an_impossible_length_ends_the_stream():
    (error,) = read_frames(io.BytesIO(b"Content-Length: 0\r\n\r\n" + framed(b"{}")), strict=True)
    assert isinstance(error, FrameError)
