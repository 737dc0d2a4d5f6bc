"""The template, read by those who know what CloudFormation and SAM take."""

import os
import pathlib
import subprocess

import venvs
from checks import Checks
from stack import INFRA, ROOT

TEMPLATES = sorted(INFRA.glob("*.yaml"))


def lint(checks: Checks) -> None:
    """cfn-lint on every template, and SAM's own validation."""
    folder = venvs.ready("lint", "requirements-lint.txt") / "bin"
    names = [str(path.relative_to(ROOT)) for path in TEMPLATES]
    region = ["--region", "eu-central-1"]
    commands: dict[str, list[str | pathlib.Path]] = {
        f"cfn-lint {' '.join(names)}": [folder / "cfn-lint", *names],
        "sam validate --lint": [folder / "sam", "validate", "--lint", "-t", "infra/template.yaml", *region],
    }
    environment = os.environ | {
        "SAM_CLI_TELEMETRY": "0", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }
    for what, command in commands.items():
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        checks.check(what, done.returncode == 0, done.stdout + done.stderr)
