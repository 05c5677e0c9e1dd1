"""Receives webhooks from the code host and deploys the main branch."""

import hashlib
import hmac
import json
import logging
import os
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ.get("WEBHOOK_SECRET", "").encode()
DEPLOY_SCRIPT = os.environ.get("DEPLOY_SCRIPT", "./deploy.sh")
BRANCH = "refs/heads/main"

log = logging.getLogger("webhook")
jobs: queue.Queue = queue.Queue()


def verify_signature(body: bytes, signature: str) -> bool:
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature)


class WebhookHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path != "/webhook":
            self.reply(404, "not found")
            return

        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        signature = self.headers.get("X-Hub-Signature-256", "")
        if not verify_signature(body, signature):
            log.warning("wrong signature from %s", self.client_address[0])
            self.reply(403, "wrong signature")
            return

        event = self.headers.get("X-GitHub-Event")
        if event == "ping":
            self.reply(200, "pong")
            return
        if event != "push":
            self.reply(200, "ignored")
            return

        payload = json.loads(body)
        if payload.get("ref") == BRANCH:
            jobs.put(payload["after"])
            self.reply(202, "deployment queued")
        else:
            self.reply(200, "not the main branch")

    def reply(self, status, message):
        data = json.dumps({"message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        log.info(format, *args)


def deploy_worker():
    while True:
        commit = jobs.get()
        log.info("deploying %s", commit[:8])
        try:
            subprocess.run([DEPLOY_SCRIPT, commit], check=True, timeout=600)
            log.info("deployed %s", commit[:8])
        except subprocess.CalledProcessError as e:
            log.error("deployment failed with exit code %d", e.returncode)
        except subprocess.TimeoutExpired:
            log.error("deployment took too long")
        finally:
            jobs.task_done()


def main():
    logging.basicConfig(level=logging.INFO)
    if not SECRET:
        raise SystemExit("WEBHOOK_SECRET is not set")
    threading.Thread(target=deploy_worker, daemon=True).start()
    server = HTTPServer(("", 8000), WebhookHandler)
    log.info("listening on port %d", server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
