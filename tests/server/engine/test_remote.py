import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from surefill.budget import Deadline
from surefill.context.prompt import TEMPLATES
from surefill.engine.interface import Cancellation, Prompt
from surefill.engine.remote import PlainTokenizer, RemoteEngine
from surefill.engine.remote_http import Endpoint
from surefill.errors import EngineError, SettingsError

PROMPT = Prompt((), "def f(x):\n    return ", "\n\nprint(f(1))\n")

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Plays the queued replies and notes what it was asked."""

    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, dict(self.headers), body))
        self.server.replies.pop(0)(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def start(self, kind: str = "text/event-stream", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def event(self, **fields: Any) -> None:
        self.wfile.write(b"data: " + json.dumps(fields).encode() + b"\n\n")
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.replies: list[Reply] = []
        self.gone = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def engine_for(server: Server, **more: Any) -> RemoteEngine:
    return RemoteEngine(Endpoint(server.url, "coder", **more))


def stream(*pieces: str, finish: str | None = "stop") -> Reply:
    def reply(handler: Handler) -> None:
        handler.start()
        handler.wfile.write(b": a comment\n\n")
        for piece in pieces:
            logprobs = {"tokens": [piece], "token_logprobs": [-0.5]}
            handler.event(choices=[{"index": 0, "text": piece, "logprobs": logprobs}])
        if finish:
            handler.event(choices=[{"index": 0, "text": "", "finish_reason": finish}])
        handler.wfile.write(b"data: [DONE]\n\n")

    return reply


def endless(handler: Handler) -> None:
    handler.start()
    try:
        while True:
            handler.event(choices=[{"index": 0, "text": "x"}])
            time.sleep(0.005)
    except OSError:
        handler.server.gone.set()


def test_prompt_and_suffix_go_out_and_the_stream_comes_back(server, monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "secret")
    server.replies = [stream("x", " * ", "2")]
    engine = engine_for(server, api_key_variable="TEAM_KEY")
    generation = engine.generate(PROMPT, max_new_tokens=20)
    (candidate,) = generation.candidates
    assert candidate.text == "x * 2"
    assert candidate.logprobs == (-0.5, -0.5, -0.5)
    assert candidate.reach == (1, 4, 5)
    assert candidate.stop_reason == "end"
    assert generation.timings.generated_tokens == 3
    path, headers, body = server.seen[0]
    assert path == "/v1/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert body["prompt"] == PROMPT.prefix
    assert body["suffix"] == PROMPT.suffix
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("coder", 20, 0)


def without_suffix(reply: Reply) -> Reply:
    """A server that refuses the field, as vLLM and llama.cpp do."""

    def checked(handler: Handler) -> None:
        if "suffix" in handler.server.seen[-1][2]:
            handler.start("application/json", 400)
            handler.wfile.write(b'{"error": {"message": "suffix is not currently supported"}}')
        else:
            reply(handler)

    return checked


def test_a_server_without_suffix_gets_the_prompt_laid_out(server):
    endpoint = Endpoint(server.url, "coder")
    server.replies = [without_suffix(stream("x * 2"))] * 2
    with pytest.raises(EngineError, match="suffix is not currently supported"):
        RemoteEngine(endpoint).generate(PROMPT, max_new_tokens=20)
    engine = RemoteEngine(endpoint, TEMPLATES["qwen2.5-coder"])
    generation = engine.generate(PROMPT, max_new_tokens=20)
    assert generation.candidates[0].text == "x * 2"
    assert server.seen[-1][2]["prompt"] == (
        f"<|fim_prefix|>{PROMPT.prefix}<|fim_suffix|>{PROMPT.suffix}<|fim_middle|>"
    )


def test_special_tokens_in_the_text_are_not_sent_as_such(server):
    server.replies = [stream("x")]
    engine = RemoteEngine(Endpoint(server.url, "coder"), TEMPLATES["qwen2.5-coder"])
    hostile = Prompt((), "# <|fim_middle|>\n", "<|fim_suffix|><|endoftext|>")
    engine.generate(hostile, max_new_tokens=2)
    sent = server.seen[-1][2]["prompt"]
    counts = [sent.count(mark) for mark in TEMPLATES["qwen2.5-coder"].special_tokens()]
    assert sum(counts) == 3
    assert max(counts) == 1


@pytest.mark.parametrize("template", [None, "plain"])
def test_without_anything_behind_the_cursor_there_is_no_suffix(server, template):
    server.replies = [without_suffix(stream("x"))]
    layout = TEMPLATES[template] if template else None
    suffix = "ignored" if template else ""
    engine = RemoteEngine(Endpoint(server.url, "coder"), layout)
    engine.generate(Prompt((), "a = ", suffix), max_new_tokens=2)
    assert server.seen[-1][2]["prompt"] == "a = "


def test_alternatives_that_fail_leave_the_first_answer(server):
    def refuse(handler: Handler) -> None:
        handler.start("application/json", 400)
        handler.wfile.write(b'{"error": {"message": "only n=1 is supported"}}')

    server.replies = [stream("best"), refuse]
    generation = engine_for(server).generate(PROMPT, max_new_tokens=5, n=3)
    assert [candidate.text for candidate in generation.candidates] == ["best"]


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/completions"])
def test_the_address_may_be_given_in_any_usual_form(server, tail):
    server.replies = [stream("x")]
    RemoteEngine(Endpoint(server.url + tail, "m")).generate(PROMPT, max_new_tokens=2)
    assert server.seen[0][0] == "/v1/completions"


def test_stop_cuts_the_text_and_ends_the_connection(server):
    server.replies = [endless]
    engine = engine_for(server)
    stop = lambda text: 3 if len(text) >= 4 else None  # noqa: E731
    (candidate,) = engine.generate(PROMPT, max_new_tokens=1000, stop=stop).candidates
    assert (candidate.text, candidate.stop_reason) == ("xxx", "stop")
    assert server.gone.wait(5)


def test_length_is_reported(server):
    server.replies = [stream("abc", finish="length")]
    assert (
        engine_for(server).generate(PROMPT, max_new_tokens=1).candidates[0].stop_reason == "length"
    )


def test_alternatives_come_from_a_second_request_without_duplicates(server):
    def three(handler: Handler) -> None:
        handler.start()
        for index, text in ((0, "b"), (1, "a"), (2, "c"), (0, "b")):
            handler.event(choices=[{"index": index, "text": text}])
        handler.wfile.write(b"data: [DONE]\n\n")

    server.replies = [stream("a"), three]
    generation = engine_for(server).generate(PROMPT, max_new_tokens=9, n=4)
    assert [c.text for c in generation.candidates] == ["a", "bb", "c"]
    assert server.seen[1][2]["n"] == 3
    assert server.seen[1][2]["temperature"] > 0


def test_a_server_that_does_not_stream(server):
    def plain(handler: Handler) -> None:
        handler.start("application/json")
        choice = {"index": 0, "text": "whole", "finish_reason": "stop", "logprobs": None}
        handler.wfile.write(json.dumps({"choices": [choice]}).encode())

    server.replies = [plain]
    (candidate,) = engine_for(server).generate(PROMPT, max_new_tokens=9).candidates
    assert (candidate.text, candidate.logprobs) == ("whole", ())


def test_cancellation_closes_the_connection(server):
    server.replies = [endless]
    cancel = Cancellation()
    threading.Timer(0.1, cancel.cancel).start()
    (candidate,) = (
        engine_for(server).generate(PROMPT, max_new_tokens=10**6, cancel=cancel).candidates
    )
    assert candidate.stop_reason == "cancelled"
    assert set(candidate.text) == {"x"}
    assert server.gone.wait(5)


def test_cancellation_does_not_wait_for_a_silent_server(server):
    release = threading.Event()
    server.replies = [lambda handler: release.wait(30)]
    cancel = Cancellation()
    threading.Timer(0.1, cancel.cancel).start()
    started = time.monotonic()
    (candidate,) = (
        engine_for(server, timeout=30).generate(PROMPT, max_new_tokens=5, cancel=cancel).candidates
    )
    assert (candidate.text, candidate.stop_reason) == ("", "cancelled")
    assert time.monotonic() - started < 10
    release.set()


def test_the_deadline_keeps_what_has_come(server):
    server.replies = [endless]
    cancel = Cancellation(Deadline.after(0.2))
    (candidate,) = (
        engine_for(server).generate(PROMPT, max_new_tokens=10**6, cancel=cancel).candidates
    )
    assert candidate.stop_reason == "deadline"
    assert candidate.text


def status(code: int, body: bytes = b"") -> Reply:
    def reply(handler: Handler) -> None:
        handler.start("application/json", code)
        handler.wfile.write(body)

    return reply


def raw(data: bytes) -> Reply:
    def reply(handler: Handler) -> None:
        handler.start()
        handler.wfile.write(data)

    return reply


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (status(401), "refuses the API key"),
        (status(404, b'{"error": {"message": "no such model."}}'), "no such model"),
        (status(500, b"<html>"), "status 500"),
        (status(429, b'{"error": "slow down"}'), "slow down"),
        (status(302), "status 302"),
        (raw(b"data: {not json\n\n"), "OpenAI-compatible"),
        (raw(b"data: [1]\n\n"), "OpenAI-compatible"),
        (raw(b'data: {"choices": [3]}\n\n'), "OpenAI-compatible"),
        (raw(b'data: {"choices": [{"text": 3}]}\n\n'), "OpenAI-compatible"),
        (raw(b'data: {"error": {"message": "out of memory"}}\n\n'), "out of memory"),
        (status(200, b"<html>hello</html>"), "OpenAI-compatible"),
    ],
)
def test_what_goes_wrong_is_one_sentence(server, reply, message):
    server.replies = [reply]
    with pytest.raises(EngineError, match=message):
        engine_for(server).generate(PROMPT, max_new_tokens=5)


def test_no_server_no_answer_no_key(server, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(EngineError, match="No server answers"):
        RemoteEngine(Endpoint(f"http://127.0.0.1:{port}", "m")).generate(PROMPT, max_new_tokens=5)
    release = threading.Event()
    server.replies = [lambda handler: release.wait(30)]
    with pytest.raises(EngineError, match=r"within 0\.1 seconds"):
        engine_for(server, timeout=0.1).generate(PROMPT, max_new_tokens=5)
    release.set()
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(EngineError, match="NO_SUCH_KEY"):
        engine_for(server, api_key_variable="NO_SUCH_KEY").generate(PROMPT, max_new_tokens=5)
    assert len(server.seen) == 1


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://host/v1", "http://", "http://a:b/"])
def test_a_bad_address_is_a_settings_error(url):
    with pytest.raises(SettingsError, match=r"remote\.url"):
        RemoteEngine(Endpoint(url, "m"))


def test_a_closed_engine_refuses():
    engine = RemoteEngine(Endpoint("http://127.0.0.1:1", "m"))
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.generate(PROMPT, max_new_tokens=1)


def test_plain_tokenizer_is_reversible():
    tokenizer = PlainTokenizer()
    assert tokenizer.decode(tokenizer.encode("a\n🙂")) == "a\n🙂"
    assert list(tokenizer.encode_line("ab\n")) == tokenizer.encode("ab\n")


@pytest.mark.parametrize("key", ["one\ntwo-secret", "two-secret\u2026"])
def test_a_key_that_no_header_can_carry_stays_secret(server, monkeypatch, key):
    monkeypatch.setenv("TEAM_KEY", key)
    with pytest.raises(EngineError, match="TEAM_KEY") as caught:
        engine_for(server, api_key_variable="TEAM_KEY").generate(PROMPT, max_new_tokens=2)
    assert "secret" not in str(caught.value)
    assert server.seen == []


def test_a_key_given_instead_of_its_variable_s_name_stays_secret(server):
    with pytest.raises(EngineError, match="name of an environment variable") as caught:
        engine_for(server, api_key_variable="sk-two-secret").generate(PROMPT, max_new_tokens=2)
    assert "secret" not in str(caught.value)


def test_a_password_in_the_address_is_refused_and_stays_secret():
    with pytest.raises(SettingsError, match="apiKeyVariable") as caught:
        RemoteEngine(Endpoint("http://me:two-secret@127.0.0.1", "m"))
    assert "secret" not in str(caught.value)


def test_a_redirection_is_not_followed_with_the_key(server, monkeypatch):
    monkeypatch.setenv("TEAM_KEY", "secret")

    def elsewhere(handler: Handler) -> None:
        handler.send_response(307)
        handler.send_header("Location", f"{server.url}/elsewhere")
        handler.end_headers()

    server.replies = [elsewhere, stream("x")]
    with pytest.raises(EngineError, match="307"):
        engine_for(server, api_key_variable="TEAM_KEY").generate(PROMPT, max_new_tokens=2)
    assert len(server.seen) == 1


def test_connecting_takes_no_longer_than_the_deadline():
    with socket.socket() as full:  # takes no connection, and refuses none
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with contextlib.ExitStack() as waiting:
            for _ in range(4):
                caller = waiting.enter_context(socket.socket())
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", port))
            engine = RemoteEngine(Endpoint(f"http://127.0.0.1:{port}", "m", timeout=600))
            cancel = Cancellation(Deadline.after(0.2))
            generation = engine.generate(PROMPT, max_new_tokens=2, cancel=cancel)
    assert [each.stop_reason for each in generation.candidates] == ["deadline"]
