#!/usr/bin/env python3
"""Imports a CSV through a presigned upload, kills the process amid it, and accounts for every row.

    cargo build --release -p local
    python3 tests/contract/import_file.py [--rows 100000] [--kills 2] [--binary target/release/local]

Every hundredth row is refused, and the last tenth describes contacts again. Whatever was killed, each row counts once.
Prints how fast the rows were imported and what memory the process had at most. Only loopback is used.
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Process:
    def __init__(self, binary, home, port):
        names = ("STAFFETTA_PORT", "STAFFETTA_SIMULATOR_PORT", "STAFFETTA_AWS_PORT")
        ports = {name: str(port + i) for i, name in enumerate(names)}
        environment = {**os.environ, **ports, "STAFFETTA_HOME": str(home), "RUST_LOG": "error"}
        self.log = open(home.parent / "log", "a", encoding="utf-8")
        self.child = subprocess.Popen([str(binary)], env=environment, stdout=self.log, stderr=self.log)
        self.url = f"http://127.0.0.1:{port}"
        self.peak = 0

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def memory_mb(self):
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) // 1024


def call(home, method, url, body=None, patience=60):
    """One request; while the process is down it is tried again."""
    end = time.time() + patience
    while True:
        try:
            known = json.loads((home / "credentials.json").read_text())
            headers = {"X-API-Key": known["apikey"], "Content-Type": "application/json"}
            data = json.dumps(body).encode() if body is not None else None
            request = urllib.request.Request(url, data, headers, method=method)
            with urllib.request.urlopen(request, timeout=60) as answer:
                raw = answer.read()
                return json.loads(raw) if raw.startswith(b"{") else raw.decode()
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise RuntimeError(f"{method} {url}: {error.code} {error.read().decode()}") from error
        except (urllib.error.URLError, ConnectionError, TimeoutError, FileNotFoundError):
            pass
        if time.time() > end:
            raise RuntimeError(f"{method} {url}: no answer")
        time.sleep(0.1)


def table(rows):
    """The file, and how many rows are refused, make a contact, and describe one again."""
    first, lines, known, counts = rows - rows // 10, ["nome,telefono,email,etichette,città"], set(), [0, 0, 0]
    for n in range(rows):
        who = n if n < first else n - first
        if n % 100 == 99:
            counts[0] += 1
            lines.append(f"Persona {who},12,,,")
            continue
        counts[2 if who in known else 1] += 1
        known.add(who)
        lines.append(f"Persona {who},+39333{who:07},p{who}@example.com,lista;vip,Torino")
    return ("\n".join(lines) + "\n").encode(), counts


def upload(announced, data):
    request = urllib.request.Request(announced["upload_url"], data, announced["headers"], method=announced["method"])
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.status == 200


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/local")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    home = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-")) / "home"
    home.mkdir()
    data, (bad, made, again) = table(asked.rows)
    process = Process(asked.binary, home, asked.port)
    path = f"{process.url}/api/contacts/imports"
    announced = call(home, "POST", path, {"filename": "clienti.csv", "size": len(data)})
    upload(announced, data)
    one = f"{path}/{announced['import']['id']}"
    at = sorted(chance.uniform(0.1, 0.8) for _ in range(asked.kills))
    while True:
        known = call(home, "GET", one)["import"]
        if known["state"] in ("finished", "failed", "cancelled"):
            break
        if at and known["rows_read"] >= at[0] * asked.rows:
            at.pop(0)
            print(f"killed behind {known['rows_read']} rows, at {known['rate']} rows/s, {process.memory_mb()} MB at most")
            process.kill()
            process = Process(asked.binary, home, asked.port)
        time.sleep(0.1)
    found = {name: known[name] for name in ("state", "rows_read", "failed", "created", "updated")}
    wanted = {"state": "finished", "rows_read": asked.rows, "failed": bad, "created": made, "updated": again}
    total = call(home, "GET", f"{process.url}/api/contacts?per_page=1")["total"]
    failed = call(home, "GET", process.url + known["failed_rows"]) if known["failed_rows"] else ""
    lines = failed.splitlines()[1:]
    print(f"{known['rate']} rows/s, {process.memory_mb()} MB at most; {found}; state in {home}")
    process.kill()
    right = found == wanted and total == made and len(lines) == bad
    print("every row counts once" if right else f"WRONG: {wanted}, {total} contacts, {len(lines)} failed rows")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
