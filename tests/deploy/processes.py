"""Our own programs beside the stack: Meta's simulator, and the local process that a deployment is compared with."""

import json
import os
import pathlib
import socket
import socketserver
import subprocess
import threading
from typing import Any

from net import free_port, request, wait_for

APP_SECRET = "fake-app-secret"
VERIFY_TOKEN = "fake-verify-token"
START_SECONDS = 60


class Process:
    """A program with its log; it ends with the test."""

    def __init__(self, command: list[str | pathlib.Path], log: pathlib.Path, environment: dict[str, str]) -> None:
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        self._log = log

    def wait_until_up(self, url: str) -> None:
        """Waits for any answer at all."""

        def answers() -> bool:
            if self._process.poll() is not None:
                raise RuntimeError(f"it ended at once: see {self._log}")
            try:
                return request("GET", url, timeout=2).status > 0
            except OSError:
                return False

        wait_for(url, START_SECONDS, answers, every=0.1)

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def clean_environment() -> dict[str, str]:
    """This environment without settings of the product or of AWS, which would turn a run into another one."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("STAFFETTA_", "META_", "AWS_"))}


class Simulator(Process):
    """Meta's Graph API. Webhooks go to `webhook_url`, which may be set once, when the stack is there."""

    def __init__(self, binary: pathlib.Path, port: int, webhook_url: str, home: pathlib.Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command: list[str | pathlib.Path] = [
            binary, "graph", "--port", str(port), "--webhook-url", webhook_url,
            "--app-secret", APP_SECRET, "--verify-token", VERIFY_TOKEN,
        ]
        super().__init__(command, home / "simulator.log", clean_environment())
        self.wait_until_up(f"{self.url}/_sim/stats")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The control plane."""
        data = None if body is None else json.dumps(body).encode()
        answer = request(method, f"{self.url}/_sim/{path}", data, {"Content-Type": "application/json"})
        if answer.status != 200:
            raise RuntimeError(f"{method} /_sim/{path}: {answer.status} {answer.text}")
        return answer.json() if answer.body else None


class Local(Process):
    """`cargo run`: the whole product in one process."""

    def __init__(self, binary: pathlib.Path, home: pathlib.Path, admin_key: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = clean_environment() | {
            "STAFFETTA_PORT": str(port),
            "STAFFETTA_SIMULATOR_PORT": str(free_port()),
            "STAFFETTA_AWS_PORT": str(free_port()),
            "STAFFETTA_HOME": str(home / "local"),
            "STAFFETTA_ADMIN_KEY": admin_key,
        }
        super().__init__([binary], home / "local.log", environment)
        self.wait_until_up(f"{self.url}/api/account")


class Relay:
    """Lets functions in containers reach the simulator, which listens on this machine's loopback alone."""

    def __init__(self, port: int) -> None:
        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", port)) as other:
                    back = threading.Thread(target=pump, args=(other, self.request), daemon=True)
                    back.start()
                    pump(self.request, other)
                    back.join()

        self._server = socketserver.ThreadingTCPServer(("0.0.0.0", 0), Connection)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Listens no longer."""
        self._server.shutdown()
        self._server.server_close()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copies bytes until there are no more."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


