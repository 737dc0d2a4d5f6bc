#!/usr/bin/env python3
"""Kills a running Staffetta at random moments of a campaign over a custom channel, and accounts for every recipient.

    cargo build --release -p local -p simulators
    python3 tests/contract/kill_channel.py [--recipients 2000] [--kills 2] [--seed 1] [--rate 40]

The channel is a server in this process: it remembers whom it took a message for, and reports each as delivered.
Afterwards nobody may have got two, every recipient must be in exactly one state, and whom the channel took must have
it; no second may have 5% more messages than the channel's rate. Only loopback is used.
"""

import argparse
import csv
import http.server
import io
import json
import os
import pathlib
import queue
import random
import signal
import sys
import tempfile
import threading
import time

import kill


class Channel:
    """Takes messages, and reports what became of them."""

    def __init__(self):
        self.taken, self.lock, self.reports = [], threading.Lock(), queue.Queue()
        channel = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with channel.lock:
                    channel.taken.append((time.time(), body["to"], body["id"]))
                channel.reports.put(body["id"])
                answer = json.dumps({"id": f"chat-{len(channel.taken)}"}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/chat"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def accepted(self):
        with self.lock:
            return len(self.taken)

    def report(self, client):
        """Reports until nobody waits; while the product is down, again."""
        while True:
            data = {"messageSid": self.reports.get(), "fromId": "-", "toId": "-", "status": "delivered",
                    "customChannel": "livechat"}
            client.call("POST", "/v1/incoming_custom_channel_message", {"customData": data})
            self.reports.task_done()

    def busiest_second(self):
        times = sorted(at for at, _, _ in self.taken)
        most = first = 0
        for last, at in enumerate(times):
            while at - times[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most


def prepare(client, channel, arguments):
    client.call("POST", "/api/channels", {"name": "livechat", "url": channel.url, "rate": arguments.rate})
    rows = [{"name": f"Name {i}", "channels": {"livechat": f"visitor-{i}"}} for i in range(arguments.recipients)]
    client.call("POST", "/api/contacts/bulk", {"contacts": rows})
    draft = {"token": client.known["token"], "name": "Kill", "channel": "livechat", "message_type": "text",
             "message": "Ciao {{name}}"}
    campaign = client.call("POST", "/api/campaigns/draft", draft)["campaign_id"]
    client.call("POST", "/api/campaigns/launch", {"campaign_id": campaign})
    return campaign


def wait_for_sending(channel, before, recipients):
    end = time.time() + 40
    while time.time() < end and channel.accepted() in (before, recipients) and channel.accepted() < recipients:
        time.sleep(0.05)


def settle(client, campaign, patience):
    end = time.time() + patience
    while time.time() < end:
        seen = client.call("GET", f"/api/campaigns/{campaign}")["campaign"]
        if seen["state"] == "finished" and kill.counted(seen).keys() <= {"delivered"}:
            break
        time.sleep(1)
    return client.call("GET", f"/api/campaigns/{campaign}")["campaign"]


def account(client, campaign, channel, arguments, seen):
    rows = list(csv.DictReader(io.StringIO(kill.report(client, campaign))))
    states = {}
    for row in rows:
        states[row["state"]] = states.get(row["state"], 0) + 1
    people = [to for _, to, _ in channel.taken]
    taken = {row["phone"] for row in rows if row["state"] == "delivered"}
    checks = {
        "one row per recipient": len(rows) == len({r["contact_id"] for r in rows}) == arguments.recipients,
        "counts equal rows": kill.counted(seen) == states,
        "nobody was sent to twice": len(people) == len(set(people)),
        "whom the channel took has it": set(people) == taken,
        "nothing is pending or failed": states.get("pending", 0) == states.get("failed", 0) == 0,
        # A runner that was held up may catch up by this much.
        "no second has 5% more than the rate": channel.busiest_second() <= arguments.rate * 1.05,
    }
    print(json.dumps({"state": seen["state"], "rows": states, "taken": len(people),
                      "busiest second": channel.busiest_second()}))
    for name, holds in checks.items():
        print("ok  " if holds else "BAD ", name)
    return all(checks.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=40, help="messages per second of the channel")
    parser.add_argument("--chaos", default="")
    parser.add_argument("--profile", default="release")
    parser.add_argument("--port", type=int, default=9110, help="of the product")
    arguments = parser.parse_args()
    kill.PORT, kill.SIMULATOR = arguments.port, arguments.port + 1
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", kill.ROOT / "target")) / arguments.profile
    rng = random.Random(arguments.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-kill-"))
    print(f"state in {folder}")
    log = open(folder / "log", "w")
    channel, product = Channel(), None
    try:
        product = kill.start_product(target / "local", folder / "home", log, arguments)
        client = kill.Client(folder / "home")
        campaign = prepare(client, channel, arguments)
        for _ in range(2):
            threading.Thread(target=channel.report, args=(client,), daemon=True).start()
        span = arguments.recipients / (arguments.rate * 0.9625)
        accepted = 0
        for number in range(arguments.kills):
            wait_for_sending(channel, accepted, arguments.recipients)
            time.sleep(rng.uniform(0.05, max(1.0, 0.9 * span / max(arguments.kills, 1))))
            product.send_signal(signal.SIGKILL)
            product.wait()
            accepted = channel.accepted()
            print(f"kill {number + 1} after {accepted} taken", flush=True)
            product = kill.start_product(target / "local", folder / "home", log, arguments)
        seen = settle(client, campaign, 2 * span + 60 + 20 * arguments.kills)
        return 0 if account(client, campaign, channel, arguments, seen) else 1
    finally:
        if product:
            product.kill()


if __name__ == "__main__":
    sys.exit(main())
