"""MiniStack, a process that plays AWS on one port of the loopback address."""

import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

from net import free_port

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 60


class Emulator:
    """A MiniStack of its own: its port, its folder, nothing of an earlier run."""

    def __init__(self, home: pathlib.Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "ministack.log"
        data = home / "ministack"
        data.mkdir(parents=True)
        # Functions inherit the emulator's environment, so nothing of ours may be in it. AUTH makes it hold every
        # function to its role's policies.
        keep = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        environment = keep | {
            "HOME": str(data),
            "TMPDIR": str(data),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "S3_DATA_DIR": str(data / "s3"),
            "STATE_DIR": str(data / "state"),
            "AUTH": "true",
            "LOG_LEVEL": "INFO",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-B", HERE / "strict.py"], env=environment, cwd=data, stdout=log, stderr=log
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2).read()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"MiniStack does not start: see {self.log}")

    def refusals(self) -> list[str]:
        """Requests of functions that their roles did not allow (see strict.py)."""
        lines = self.log.read_text(errors="replace").splitlines()
        return sorted({line for line in lines if line.startswith("refused:") and "assumed-role" in line})

    def stop(self) -> None:
        """Ends it, and with it the functions that it started."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
