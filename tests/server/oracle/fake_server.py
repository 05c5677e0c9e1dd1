"""A language server that misbehaves in the way that its argument names.

``none``: answers everything. ``hangs``: answers ``initialize`` and nothing else. ``deaf``: answers
nothing at all. ``dies``: ends at the first question; ``dies-at-start``: before ``initialize``.
``junk``: prints noise around every message. ``broken``: answers questions with what is no JSON.
``error``: refuses questions. ``nonsense``: answers with other types than the protocol's.
``pushes``: tells its diagnostics unasked, without a version. ``counts``: writes each message's
method to the file named by the second argument.
"""

import json
import os
import sys
import time
from pathlib import Path

fault = sys.argv[1]
out, stdin = sys.stdout.buffer, sys.stdin.buffer


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    if fault == "junk":
        out.write(b"Segmentation fault (not really)\n\x00\xff noise \r\n\r\n")
    if fault == "broken" and "id" in message and message["id"] != 1:
        body = body[:-1]
    out.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    out.flush()


def receive():
    length = 0
    while (line := stdin.readline()).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stdin.read(length)) if length else sys.exit()


CAPABILITIES = {
    "completionProvider": {},
    "hoverProvider": True,
    "signatureHelpProvider": {},
    "definitionProvider": True,
}
if fault != "pushes":
    CAPABILITIES["diagnosticProvider"] = {"interFileDependencies": False}
text = ""


def diagnostics():
    zero = {"line": 0, "character": 0}
    return [{"range": {"start": zero, "end": zero}, "severity": 2, "message": f"It says {text}."}]


def answer(method):
    if fault == "nonsense":
        return {"items": 5, "signatures": 7, "contents": 9, "range": []}
    return {
        "textDocument/hover": {"contents": {"kind": "markdown", "value": text}},
        "textDocument/completion": [{"label": "one", "kind": 2}],
        "textDocument/diagnostic": {"kind": "full", "items": diagnostics()},
    }.get(method)


if fault == "dies-at-start":
    sys.exit(1)
while True:
    message = receive()
    method = message.get("method")
    if fault == "counts" and method:
        with Path(sys.argv[2]).open("a") as log:
            log.write(f"{method}\n")
    if method == "exit":
        sys.exit()
    if method in ("textDocument/didOpen", "textDocument/didChange"):
        document = message["params"]["textDocument"]
        text = document.get("text") or message["params"].get("contentChanges", [{}])[0].get("text")
        text = text or ""
        if fault == "pushes":
            params = {"uri": document["uri"], "diagnostics": diagnostics()}
            send({"method": "textDocument/publishDiagnostics", "params": params})
    if "id" not in message or "method" not in message or fault == "deaf":
        continue
    if method == "initialize":
        send({"id": message["id"], "result": {"capabilities": CAPABILITIES}})
        send({"id": 1, "method": "workspace/configuration", "params": {"items": [{}]}})
        send({"id": 2, "method": "unheard/of", "params": None})
    elif fault == "hangs":
        time.sleep(0)
    elif fault == "dies" and method != "shutdown":
        os._exit(3)
    elif fault == "error":
        send({"id": message["id"], "error": {"code": -32603, "message": "no idea"}})
    else:
        send({"id": message["id"], "result": answer(method)})
