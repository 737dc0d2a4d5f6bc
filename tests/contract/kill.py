#!/usr/bin/env python3
"""Kills a running Staffetta at random moments of a campaign, and accounts for every recipient.

    cargo build --release -p local -p simulators
    python3 tests/contract/kill.py [--recipients 10000] [--kills 20] [--seed 1] [--chaos duplicate,delay]

The simulator runs in a process of its own, so that it remembers what it accepted. Afterwards every recipient must be
in exactly one state, nobody may have been sent to twice, and nobody whom the simulator accepted may be unknown,
pending or failed. Only loopback is used; everything is left in a folder that is printed.
"""

import argparse
import csv
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECRET, VERIFY, TOKEN = "fake-app-secret", "fake-verify-token", "EAA-fake"


class Client:
    def __init__(self, home):
        self.known = json.loads((home / "credentials.json").read_text())

    def call(self, method, path, body=None, patience=60):
        """One request; while the process is down it is tried again."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"X-API-Key": self.known["apikey"], "Content-Type": "application/json"}
        end = time.time() + patience
        while True:
            try:
                request = urllib.request.Request(self.known["url"] + path, data, headers, method=method)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    raw = answer.read()
                    return json.loads(raw) if raw.startswith(b"{") else raw.decode()
            except urllib.error.HTTPError as error:
                if error.code != 429 and error.code < 500:
                    raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            if time.time() > end:
                raise RuntimeError(f"{method} {path}: no answer")
            time.sleep(0.2)


def simulator(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{SIMULATOR}/_sim/{path}") as answer:
        return json.load(answer)


def configure(settings):
    request = urllib.request.Request(
        f"http://127.0.0.1:{SIMULATOR}/_sim/settings", json.dumps(settings).encode(),
        {"Content-Type": "application/json"}, method="POST")
    urllib.request.urlopen(request).read()


def start_product(binary, home, log, arguments):
    environment = dict(
        os.environ, STAFFETTA_PORT=str(PORT), STAFFETTA_AWS_PORT=str(PORT + 2), STAFFETTA_HOME=str(home),
        META_GRAPH_URL=f"http://127.0.0.1:{SIMULATOR}",
        META_ACCESS_TOKEN=TOKEN, META_APP_SECRET=SECRET, META_VERIFY_TOKEN=VERIFY,
        STAFFETTA_DEMO_RATE=str(arguments.rate), STAFFETTA_CHAOS=arguments.chaos)
    process = subprocess.Popen([binary], env=environment, stdout=log, stderr=log)
    end = time.time() + 60
    while time.time() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/account", timeout=2)
        except urllib.error.HTTPError:
            return process
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the product does not start")


def prepare(client, recipients):
    for start in range(0, recipients, 10_000):
        rows = [{"name": f"Name {i}", "phone": f"+39333{i:07d}"} for i in range(start, min(start + 10_000, recipients))]
        client.call("POST", "/api/contacts/bulk", {"contacts": rows})
    token = client.known["token"]
    template = {"token": token, "name": "avviso", "category": "UTILITY", "body": "Ciao {{1}}, ecco un avviso per te!"}
    client.call("POST", "/api/whatsapp-meta/create_template", template)
    time.sleep(2)
    draft = {"token": token, "name": "Kill", "channel": "whatsapp", "message_type": "template", "template_name": "avviso"}
    campaign = client.call("POST", "/api/campaigns/draft", draft)["campaign_id"]
    client.call("POST", "/api/campaigns/launch", {"campaign_id": campaign})
    return campaign


def wait_for_sending(accepted, recipients):
    """After a start it takes some seconds until the dead process's lease has run out."""
    end = time.time() + 40
    while time.time() < end and simulator("stats")["accepted"] in (accepted, recipients):
        if simulator("stats")["accepted"] == recipients:
            return
        time.sleep(0.05)


def settle(client, campaign, patience):
    end = time.time() + patience
    while time.time() < end:
        seen = client.call("GET", f"/api/campaigns/{campaign}")["campaign"]
        waiting = simulator("stats")["webhooks"]["pending"]
        counts = seen["counts"]
        if seen["state"] == "finished" and waiting == 0 and counts["accepted"] + counts["sent"] + counts["pending"] == 0:
            break
        time.sleep(1)
    return client.call("GET", f"/api/campaigns/{campaign}")["campaign"]


def report(client, campaign, patience=120):
    """The file to which the answer leads; while it is being made the answer is JSON."""
    end = time.time() + patience
    while time.time() < end:
        found = client.call("GET", f"/api/campaigns/{campaign}/report.csv")
        if isinstance(found, str):
            return found
        time.sleep(found["retry_after"])
    raise RuntimeError("the report is not made")


def counted(seen):
    return {k: v for k, v in seen["counts"].items() if v and k != "total"}


def account(client, campaign, recipients, seen):
    stats = simulator("stats")
    rows = list(csv.DictReader(io.StringIO(report(client, campaign))))
    states = {}
    for row in rows:
        states[row["state"]] = states.get(row["state"], 0) + 1
    # A worker counts a large campaign, and has done so a minute after the last change.
    end = time.time() + 60
    while time.time() < end and counted(seen) != states:
        time.sleep(1)
        seen = client.call("GET", f"/api/campaigns/{campaign}")["campaign"]
    arrived = sum(states.get(s, 0) for s in ("delivered", "read"))
    checks = {
        "one row per recipient": len(rows) == len({r["contact_id"] for r in rows}) == recipients,
        "counts equal rows": counted(seen) == states,
        "nobody was sent to twice": stats["repeated"] == 0 and stats["duplicates"] == 0,
        "whom the simulator accepted has it": stats["distinct_recipients"] == arrived,
        "nothing is pending or failed": states.get("pending", 0) == states.get("failed", 0) == 0,
    }
    print(json.dumps({"state": seen["state"], "rows": states, "simulator": {
        k: stats[k] for k in ("accepted", "distinct_recipients", "duplicates", "repeated", "max_rate_1s", "errors")}}))
    for name, holds in checks.items():
        print("ok  " if holds else "BAD ", name)
    return all(checks.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=80, help="messages per second of the number")
    parser.add_argument("--chaos", default="")
    parser.add_argument("--profile", default="release")
    parser.add_argument("--port", type=int, default=9100, help="of the product; the simulator takes the next one")
    arguments = parser.parse_args()
    global PORT, SIMULATOR
    PORT, SIMULATOR = arguments.port, arguments.port + 1
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / arguments.profile
    rng = random.Random(arguments.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-kill-"))
    print(f"state in {folder}")
    log = open(folder / "log", "w")
    graph = subprocess.Popen(
        [target / "simulators", "graph", "--port", str(SIMULATOR), "--app-secret", SECRET, "--verify-token", VERIFY,
         "--webhook-url", f"http://127.0.0.1:{PORT}/webhooks/meta"], stdout=log, stderr=log)
    product = None
    try:
        time.sleep(1)
        configure({"retry_cap_ms": 4_000, "throughput_per_second": max(arguments.rate, 80)})
        product = start_product(target / "local", folder / "home", log, arguments)
        client = Client(folder / "home")
        campaign = prepare(client, arguments.recipients)
        span = arguments.recipients / (arguments.rate * 0.9625)
        accepted = 0
        for number in range(arguments.kills):
            wait_for_sending(accepted, arguments.recipients)
            time.sleep(rng.uniform(0.05, max(1.0, 0.9 * span / max(arguments.kills, 1))))
            product.send_signal(signal.SIGKILL)
            product.wait()
            accepted = simulator("stats")["accepted"]
            print(f"kill {number + 1} after {accepted} accepted", flush=True)
            product = start_product(target / "local", folder / "home", log, arguments)
        seen = settle(client, campaign, span + 40 + 20 * arguments.kills)
        return 0 if account(client, campaign, arguments.recipients, seen) else 1
    finally:
        for process in (product, graph):
            if process:
                process.kill()


if __name__ == "__main__":
    sys.exit(main())
