#!/usr/bin/env python3
"""What the built functions weigh, which glibc they need, and how fast they start.

    python3 infra/measure.py                     # a table of what is in target/lambda
    python3 infra/measure.py --write             # into infra/README.md
    python3 infra/measure.py --check             # against infra/budgets.json; what is above ends it with 1

A start is measured from the process's start to its first request for an event, against an interface of Lambda that
this program plays on loopback. Credentials are fake and nothing else is called.
"""

import argparse
import datetime
import http.server
import io
import json
import os
import pathlib
import platform
import re
import statistics
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
FUNCTIONS = sorted(folder.name for folder in (HERE.parent / "functions").iterdir() if folder.is_dir())
RUNS = 15
# Amazon Linux 2023 has it.
NEWEST_GLIBC = (2, 34)
BEGIN, END = "<!-- sizes: begin -->\n", "<!-- sizes: end -->\n"
ENVIRONMENT = {
    "AWS_REGION": "eu-south-1", "AWS_ACCESS_KEY_ID": "AKIDFAKE", "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_SESSION_TOKEN": "fake", "AWS_LAMBDA_FUNCTION_NAME": "fake", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_GROUP_NAME": "fake", "AWS_LAMBDA_LOG_STREAM_NAME": "fake",
    "TABLE_NAME": "fake", "SECRET_ID": "fake", "META_GRAPH_URL": "https://graph.facebook.com/v25.0",
    "BASE_URL": "https://api.example.com", "MEDIA_BUCKET": "fake", "CAMPAIGN_QUEUE_ARN": "fake",
    "SCHEDULE_GROUP": "fake", "SCHEDULE_ROLE_ARN": "fake",
}
# What the template gives one function or another, so that a new queue need not be named here.
for name in re.findall(r"^ *(\w+_QUEUE_URL):", (HERE / "template.yaml").read_text(), re.MULTILINE):
    ENVIRONMENT[name] = f"https://sqs.example.com/0/{name}"
# Sections of an ELF file: their type, and the section of strings that they refer to.
SECTION = struct.Struct("<4xI16xQQI20x")
VERSIONS_NEEDED = 0x6FFFFFFE


class Figures(NamedTuple):
    """What was measured of a function."""

    name: str
    binary: int
    zipped: int
    glibc: tuple[int, int]
    median_ms: float
    longest_ms: float


class Lambda:
    """The interface that functions ask for events; it never has one."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._at = 0.0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("/runtime/invocation/next"):
                    outer._at = time.perf_counter()
                    outer._asked.set()
                # Whoever waits for an event holds the line until it is killed.
                self.rfile.read()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        return ENVIRONMENT | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"}

    def start_ms(self, bootstrap: pathlib.Path) -> float:
        """From the process's start to its first request."""
        self._asked.clear()
        begin = time.perf_counter()
        with subprocess.Popen([bootstrap], env=self.environment(), stderr=subprocess.PIPE, text=True) as process:
            asked = self._asked.wait(10)
            process.kill()
            _, said = process.communicate()
        if not asked:
            sys.exit(f"{bootstrap} did not ask for an event; it said:\n{said}")
        return (self._at - begin) * 1000


def string_at(strings: bytes, at: int) -> str:
    return strings[at : strings.index(b"\0", at)].decode()


def needed(binary: bytes) -> Iterator[str]:
    """The versions of symbols that an ELF file of 64 bits, little-endian, takes from its libraries."""
    first, size, count = (struct.unpack_from(f, binary, at)[0] for f, at in (("<Q", 0x28), ("<H", 0x3A), ("<H", 0x3C)))
    sections = [SECTION.unpack_from(binary, first + i * size) for i in range(count)]
    for kind, library, _, link in sections:
        if kind != VERSIONS_NEEDED:
            continue
        strings = binary[sections[link][1] :][: sections[link][2]]
        while True:
            names, version, following = struct.unpack_from("<2xH4xII", binary, library)
            version += library
            for _ in range(names):
                name, step = struct.unpack_from("<8xII", binary, version)
                yield string_at(strings, name)
                version += step
            if not following:
                break
            library += following


def glibc(binary: bytes) -> tuple[int, int]:
    """The newest version of glibc's symbols that a binary needs; (0, 0) when it needs none."""
    named = (re.match(r"GLIBC_(\d+)\.(\d+)", version) for version in needed(binary))
    return max(((int(match[1]), int(match[2])) for match in named if match), default=(0, 0))


def zipped(binary: bytes) -> int:
    """The size of the archive that is deployed."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("bootstrap", binary)
    return len(archive.getvalue())


def measure(name: str, bootstrap: pathlib.Path, runtime: Lambda) -> Figures:
    binary = bootstrap.read_bytes()
    starts = [runtime.start_ms(bootstrap) for _ in range(RUNS)]
    return Figures(name, len(binary), zipped(binary), glibc(binary), statistics.median(starts), max(starts))


def table(figures: list[Figures], profile: str) -> str:
    today = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [
        f"Profile `{profile}`, {platform.machine()}, {os.cpu_count()} cores, {today}; {RUNS} starts of each.\n",
        "| function | binary, MB | zipped, MB | glibc | start, median ms | start, longest ms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for f in figures:
        version = ".".join(map(str, f.glibc))
        size = f"{f.binary / 1e6:.1f} | {f.zipped / 1e6:.2f}"
        lines.append(f"| {f.name} | {size} | {version} | {f.median_ms:.1f} | {f.longest_ms:.1f} |")
    return "\n".join(lines) + "\n"


def complaint_without_table(bootstrap: pathlib.Path, runtime: Lambda) -> list[str]:
    """What a function says that is not told its table: the lines that name it."""
    environment = runtime.environment()
    del environment["TABLE_NAME"]
    try:
        ended = subprocess.run([bootstrap], env=environment, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return []
    named = [line for line in ended.stderr.splitlines() if "TABLE_NAME" in line]
    return named if ended.returncode != 0 else []


def check(figures: list[Figures], folder: pathlib.Path, runtime: Lambda, factor: float) -> list[str]:
    """What is not as it has to be."""
    budgets = json.loads((HERE / "budgets.json").read_text())["zipped"]
    wrong = []
    for f in figures:
        if f.name not in budgets:
            wrong.append(f"{f.name} has no budget")
        elif f.zipped > budgets[f.name] * factor:
            wrong.append(f"{f.name}: {f.zipped} bytes zipped, its budget is {budgets[f.name]} (x {factor})")
        if f.glibc > NEWEST_GLIBC:
            needs, has = (".".join(map(str, version)) for version in (f.glibc, NEWEST_GLIBC))
            wrong.append(f"{f.name} needs glibc {needs}, Amazon Linux 2023 has {has}")
        if len(complaint_without_table(folder / f.name / "bootstrap", runtime)) != 1:
            wrong.append(f"{f.name} does not end with one line that names TABLE_NAME when it is missing")
    return wrong


def write(text: str) -> None:
    path = HERE / "README.md"
    before, rest = path.read_text().split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}{text}{END}{after}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser.add_argument("--target", type=pathlib.Path, default=target, help="cargo's target folder")
    parser.add_argument("--profile-name", default="lambda", help="how the functions were built")
    parser.add_argument("--factor", type=float, default=1.0, help="widens the budgets, for builds without LTO")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    folder, runtime = given.target / "lambda", Lambda()
    missing = [name for name in FUNCTIONS if not (folder / name / "bootstrap").is_file()]
    if missing:
        sys.exit(f"not built: {', '.join(missing)} (cargo lambdas)")
    figures = [measure(name, folder / name / "bootstrap", runtime) for name in FUNCTIONS]
    text = table(figures, given.profile_name)
    print(text)
    if given.write:
        write(text)
    wrong = check(figures, folder, runtime, given.factor) if given.check else []
    for line in wrong:
        print(line)
    if given.check:
        print(f"{len(figures) * 3 - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
