"""Start, settings, model loading and the end of a session, with a scripted model."""

import json
import signal
import socket
import struct
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

from surefill.frames import read_frames

PATIENCE = 60
SHOW, LOG, PROGRESS = "window/showMessage", "window/logMessage", "$/progress"
TEXT = "# model: answer 42\nx = "


def test_shutdown_and_exit_end_with_success(scripted):
    editor = scripted()
    editor.initialize()
    editor.wait_until_loaded()
    assert editor.leave() == 0


def test_exit_without_waiting_for_the_shutdown_s_answer_is_success_too(scripted):
    editor = scripted()
    editor.initialize()
    editor.send(editor.request_message("shutdown"), {"method": "exit"})
    assert editor.process.wait(PATIENCE) == 0


def test_exit_without_shutdown_is_a_failure(scripted):
    editor = scripted()
    editor.initialize()
    editor.notify("exit")
    assert editor.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("initialized", [True, False])
def test_the_end_of_stdin_ends_the_process(scripted, initialized):
    editor = scripted()
    if initialized:
        editor.initialize()
        editor.wait_until_loaded()
    editor.process.stdin.close()
    assert editor.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("ending", ["exit", "end of stdin"])
def test_a_model_that_is_still_at_work_does_not_keep_the_process_alive(scripted, ending):
    editor = scripted()
    editor.initialize({"completion": {"deadlineMs": 60_000}})
    editor.wait_until_loaded()
    uri = editor.open("# model: hang\nx = ")
    editor.send(editor.inline_message(uri, 1, 4))
    editor.wait_for_status(lambda status: status["counters"]["model_calls"] == 1)
    if ending == "exit":
        editor.notify("exit")
    else:
        editor.process.stdin.close()
    assert editor.process.wait(PATIENCE) == 1


def test_a_model_that_never_ends_loading_does_not_keep_the_process_alive(scripted, tmp_path):
    editor = scripted()
    editor.initialize({"bundle": str(tmp_path / "never")})
    editor.wait_for_status(lambda status: status["state"] == "loading")
    assert editor.leave() == 0


def test_the_death_of_the_editor_ends_the_process(scripted):
    """Its stdin stays open here, in this test's hands."""
    editor_process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    editor = scripted()
    params = {"processId": editor_process.pid, "rootUri": None, "capabilities": {}}
    editor.call("initialize", params)
    editor_process.kill()
    editor_process.wait()
    assert editor.process.wait(PATIENCE) == 1
    editor_process.stdin.close()


def test_an_interrupt_ends_the_process(scripted):
    editor = scripted()
    editor.initialize()
    editor.wait_until_loaded()
    # With the model at work, whose thread must not keep the process.
    editor.send(editor.inline_message(editor.open("# model: hang\nx = "), 1, 4))
    editor.wait_for_status(lambda status: status["live"] == 1)
    editor.process.send_signal(signal.SIGINT)
    assert editor.process.wait(PATIENCE) != 0


def test_loading_is_reported_as_progress_where_the_editor_shows_it(scripted):
    editor = scripted()
    editor.initialize({"bundle": "mine"}, window={"workDoneProgress": True})
    editor.wait_until_loaded()
    editor.wait_until_told(PROGRESS, lambda p: p["value"]["kind"] == "end")
    kinds = [each["value"]["kind"] for each in editor.told(PROGRESS)]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"
    asked = [each["method"] for each in editor.requests]
    assert asked == ["window/workDoneProgress/create"]


def test_loading_is_logged_where_the_editor_shows_no_progress(scripted):
    editor = scripted()
    editor.initialize({"bundle": "mine"})
    told = editor.wait_until_told(LOG, lambda p: "mine 1 on scripted" in p["message"])
    assert told["type"] == 3
    assert editor.requests == []


@pytest.mark.parametrize(
    ("fault", "words"), [("missing", "pip install surefill[cpu]"), ("crash", "no room")]
)
def test_a_model_that_cannot_be_loaded_is_one_message_and_the_rest_works(scripted, fault, words):
    editor = scripted(SUREFILL_TEST_LOADER=fault)
    editor.initialize()
    status = editor.wait_until_loaded()
    assert status["state"] == "failed"
    uri = editor.open(TEXT)
    for _ in range(3):
        assert editor.inline(uri, 1, 4) == []
    settings = {"bundle": "b", "log": {"level": "debug"}}
    editor.configure(settings)
    editor.wait_until_told(LOG, lambda told: "again: " in told["message"])
    (message,) = editor.told(SHOW)
    assert words in message["message"]
    assert editor.status()["documents"] == 1


def test_a_remote_engine_that_is_not_there_is_one_message(start_editor):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    editor = start_editor()
    remote = {"url": f"http://127.0.0.1:{port}", "model": "any"}
    editor.initialize({"engine": {"kind": "remote"}, "remote": remote})
    assert editor.wait_until_loaded()["provider"] == "remote"
    uri = editor.open(TEXT)
    for _ in range(3):
        assert editor.inline(uri, 1, 4) == []
    (message,) = editor.told(SHOW)
    assert str(port) in message["message"]


def test_a_remote_engine_without_address_is_one_message(start_editor):
    editor = start_editor()
    editor.initialize({"engine": {"kind": "remote"}})
    assert "remote.url" in editor.wait_until_loaded()["problem"]
    assert len(editor.told(SHOW)) == 1


def test_another_bundle_is_loaded_without_a_restart(scripted):
    editor = scripted()
    editor.initialize({"bundle": "first"})
    assert editor.wait_until_loaded()["bundle"] == {"name": "first", "version": "1"}
    uri = editor.open(TEXT)
    assert editor.inline(uri, 1, 4)
    editor.configure({"bundle": "2nd"})
    editor.wait_for_status(lambda status: status["bundle"]["name"] == "2nd")
    calls = editor.status()["counters"]["model_calls"]
    assert editor.inline(uri, 1, 4)
    # The old model's answers are not the new one's.
    assert editor.status()["counters"]["model_calls"] == calls + 1


def test_the_old_model_serves_until_the_new_one_is_there(scripted, tmp_path):
    gate = tmp_path / "second"
    editor = scripted()
    editor.initialize({"bundle": "first"})
    editor.wait_until_loaded()
    editor.configure({"bundle": str(gate)})
    editor.wait_for_status(lambda status: status["state"] == "loading")
    assert editor.inline(editor.open(TEXT), 1, 4)
    gate.touch()
    editor.wait_for_status(lambda status: status["bundle"]["name"] == str(gate))


def test_settings_apply_at_once(scripted):
    editor = scripted()
    editor.initialize()
    editor.wait_until_loaded()
    uri = editor.open(TEXT)

    def apply(**settings):
        editor.configure(settings)
        return [each["insertText"] for each in editor.inline(uri, 1, 4)]

    assert apply() == ["42"]
    assert apply(enabled=False) == []
    assert apply(disabledLanguages=["python"]) == []
    assert apply(disabledLanguages=["rust"]) == ["42"]
    assert editor.told(SHOW) == []


def test_bad_settings_are_named_once_and_their_defaults_used(scripted):
    editor = scripted()
    editor.initialize({"completion": {"deadlineMs": "soon"}, "colour": "blue"})
    editor.wait_until_loaded()
    assert editor.inline(editor.open(TEXT), 1, 4)
    messages = [each["message"] for each in editor.told(SHOW)]
    assert len(messages) == 2
    assert any("surefill.completion.deadlineMs" in each for each in messages)
    assert any("surefill.colour" in each for each in messages)


def test_settings_are_pulled_before_the_model_is_loaded(scripted):
    editor = scripted()
    editor.configuration = {"bundle": "pulled"}
    pulls = {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}
    editor.initialize({"bundle": "option"}, workspace=pulls)
    assert editor.wait_until_loaded()["bundle"]["name"] == "pulled"
    editor.configuration = {"bundle": "changed"}
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    editor.wait_for_status(lambda status: status["bundle"]["name"] == "changed")
    asked = [each["method"] for each in editor.requests]
    assert asked.count("workspace/configuration") == 2
    assert "client/registerCapability" in asked


def test_the_log_level_is_a_setting(scripted):
    editor = scripted()
    editor.initialize({"log": {"level": "error"}})
    editor.wait_until_loaded()
    assert editor.inline(editor.open(TEXT), 1, 4)
    assert editor.told(LOG) == []


@pytest.fixture
def tcp_port(tmp_path):
    script = tmp_path / "serve.py"
    script.write_text("from surefill.lsp.run import serve_tcp\nserve_tcp('127.0.0.1', 0)\n")
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    yield int(process.stderr.readline().decode().rsplit(":", 1)[1])
    process.kill()
    process.wait()
    process.stderr.close()


def test_over_tcp_one_editor_after_the_other_is_served(tcp_port):
    for _ in range(2):
        assert list(tcp_session(tcp_port)) == [1, 2]
    for _ in range(2):
        vanish(tcp_port)
    assert list(tcp_session(tcp_port)) == [1, 2]


def tcp_session(port):
    """The ids of the answers in one short session."""
    messages = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "capabilities": {}}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for each in messages:
            body = json.dumps({"jsonrpc": "2.0", **each}).encode()
            connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        with connection.makefile("rb") as stream:
            for frame in read_frames(stream):
                message = json.loads(frame)
                if "id" in message:
                    yield message["id"]


def vanish(port):
    """Reset the connection while the server is at it."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"Content-Length: 2\r\n\r\n[]" * 50)
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_starting_imports_nothing_heavy():
    """What a start costs is its imports; the model's libraries are not among them."""
    script = textwrap.dedent("""
        import sys
        from surefill.lsp.server import create_server
        create_server()
        heavy = {"onnxruntime", "numpy", "tokenizers", "tree_sitter", "torch", "transformers"}
        heavy.add("surefill.completion.pipeline")
        print(sorted(heavy & set(sys.modules)))
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_a_web_page_gets_no_session(tcp_port):
    """A browser posts to any port; frames in its request must not be read as an editor's."""
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {"processId": None, "capabilities": {}},
        }
    )
    frame = f"Content-Length: {len(body)}\r\n\r\n{body}"
    request = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(frame) + 4}\r\n"
        f"Referer: http://elsewhere/?Content-Length:{len(body)}\r\n\r\n{body}\r\n\r\n{frame}"
    )
    with socket.create_connection(("127.0.0.1", tcp_port)) as connection:
        connection.sendall(request.encode())
        with suppress(ConnectionResetError), connection.makefile("rb") as stream:
            assert stream.read() == b""
    assert list(tcp_session(tcp_port)) == [1, 2]


def test_an_address_that_cannot_be_listened_on_is_one_sentence(tcp_port):
    for address, words in ((f"127.0.0.1:{tcp_port}", "in use"), ("203.0.113.7:0", "Cannot listen")):
        done = subprocess.run(
            [sys.executable, "-m", "surefill", "lsp", "--tcp", address],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_model_that_comes_while_another_is_wanted_does_not_end_the_service(scripted):
    editor = scripted()
    editor.initialize({"bundle": "first", "completion": {"deadlineMs": 60_000}})
    editor.wait_until_loaded()
    hanging = editor.open("# model: hang\nx = ", uri="file:///project/hang.py")
    running = editor.inline_message(hanging, 1, 4)
    editor.send(running)
    editor.wait_for_status(lambda status: status["live"] == 1)
    for bundle in ("second", "broken"):
        editor.configure({"bundle": bundle, "completion": {"deadlineMs": 60_000}})
    editor.wait_for_status(lambda status: status["state"] == "failed")
    assert editor.items(running["id"]) == []
    status = editor.status()
    assert status["bundle"]["name"] in ("first", "second")
    assert editor.inline(editor.open(TEXT), 1, 4)
