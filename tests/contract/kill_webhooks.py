#!/usr/bin/env python3
"""Kills a running Staffetta at random moments while webhooks come in and go out, and accounts for every one.

    cargo build --release -p local
    python3 tests/contract/kill_webhooks.py [--webhooks 2000] [--kills 15] [--seed 1] [--chaos duplicate,delay]

A webhook that is not answered with 200 is posted again, as Meta does. Afterwards every body that was answered must have
reached the receiver, unchanged, and every message must be one contact, one message and one event. What the receiver
got twice is counted: an event whose answer a killed process did not live to see is sent again under its id. Only
loopback is used.
"""

import argparse
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = {"STAFFETTA_PORT": "9410", "STAFFETTA_SIMULATOR_PORT": "9411", "STAFFETTA_AWS_PORT": "9412"}
BASE = "http://127.0.0.1:9410"
# Jobs of a killed process are hidden for up to 90 s, and events that it took on for 60 s.
PATIENCE = 300

received = []
lock = threading.Lock()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with lock:
            received.append((self.headers["webhook-event"], self.headers["webhook-id"], body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed process breaks its connections off; that is what this is about."""


def call(method, path, body, headers):
    request = urllib.request.Request(BASE + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"{}")


def start(binary, home, log, chaos):
    environment = dict(os.environ, STAFFETTA_HOME=str(home), STAFFETTA_CHAOS=chaos, STAFFETTA_LOG="error", **PORTS)
    process = subprocess.Popen([binary], env=environment, stdout=log, stderr=log)
    end = time.time() + 60
    while time.time() < end:
        try:
            urllib.request.urlopen(BASE + "/api/account", timeout=2)
        except urllib.error.HTTPError:
            return process
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the product does not start")


def webhook(number, n):
    sender = f"39333{n:07d}"
    value = {"metadata": {"phone_number_id": number}, "contacts": [{"wa_id": sender, "profile": {"name": f"N {n}"}}],
             "messages": [{"from": sender, "id": f"wamid.{n}", "timestamp": "1782892800", "type": "text",
                           "text": {"body": f"numero {n}"}}]}
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def post(known, body, done):
    signature = "sha256=" + hmac.new(known["meta_app_secret"].encode(), body, hashlib.sha256).hexdigest()
    while not done.is_set():
        try:
            request = urllib.request.Request(BASE + "/webhooks/meta", body, {"X-Hub-Signature-256": signature})
            urllib.request.urlopen(request, timeout=30).read()
            return
        except OSError:
            time.sleep(0.2)


def load(known, bodies, done):
    for body in bodies:
        post(known, body, done)
        time.sleep(0.002)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--webhooks", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chaos", default="")
    parser.add_argument("--binary", default=str(ROOT / "target/release/local"))
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    server = Server(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"

    home = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-kill-webhooks-"))
    with open(home / "log", "ab") as log:
        process = start(arguments.binary, home, log, arguments.chaos)
        known = json.loads((home / "credentials.json").read_text())
        headers = {"X-API-Key": known["apikey"], "Content-Type": "application/json"}
        register = json.dumps({"token": known["token"], "url": url}).encode()
        call("POST", "/api/whatsapp-meta/set_webhook", register, headers)
        events = json.dumps({"name": "CRM", "url": url, "events": ["message.received", "contact.created"]}).encode()
        call("POST", "/api/webhooks", events, headers)
        bodies = [webhook(known["phone_number_id"], n) for n in range(arguments.webhooks)]
        done = threading.Event()
        loads = [threading.Thread(target=load, args=(known, bodies[i::4], done)) for i in range(4)]
        for thread in loads:
            thread.start()
        kills = 0
        while kills < arguments.kills and any(thread.is_alive() for thread in loads):
            time.sleep(chance.uniform(0.2, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            process = start(arguments.binary, home, log, arguments.chaos)
        for thread in loads:
            thread.join()
        end = time.time() + PATIENCE
        while time.time() < end:
            with lock:
                seen = {(kind, name) for kind, name, _ in received}
            if len(seen) >= 3 * arguments.webhooks:
                break
            time.sleep(1)
        time.sleep(2)
        total = call("GET", "/api/contacts?per_page=1", None, headers)["total"]
        process.terminate()

    with lock:
        got = list(received)
    forwarded = {body for kind, _, body in got if kind == "meta.change"}
    missing = [body for body in bodies if body not in forwarded]
    of = {kind: {name for k, name, _ in got if k == kind} for kind in ("message.received", "contact.created")}
    again = len(got) - len({(kind, name) for kind, name, _ in got})
    print(f"{arguments.webhooks} webhooks, {kills} kills: {len(forwarded)} bodies forwarded, {len(missing)} missing; "
          f"{len(of['message.received'])} messages and {len(of['contact.created'])} contacts told, {total} contacts; "
          f"{again} of {len(got)} were sent again")
    whole = len(of["message.received"]) == len(of["contact.created"]) == total == arguments.webhooks
    if missing or not whole or forwarded - set(bodies):
        print(f"something is lost; the state is in {home}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
