"""The binaries: functions for Amazon Linux, the simulator and the local process for this machine."""

import os
import pathlib
import subprocess

from stack import ROOT, functions

# Amazon Linux 2023 has glibc 2.34.
TRIPLE = "x86_64-unknown-linux-gnu.2.34"


def build(target: pathlib.Path) -> None:
    """Builds everything that is driven; cargo decides what there is to do."""
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(target),
        # The entropy of jitter costs a cold start 50 ms, and Lambda has a better source.
        "AWS_LC_SYS_NO_JITTER_ENTROPY": "1",
    }
    packages = [argument for name in functions() for argument in ("--package", name)]
    lambdas = ["cargo", "lambda", "build", "--locked", "--profile", "lambda-ci", "--target", TRIPLE, *packages]
    subprocess.run(lambdas, cwd=ROOT, env=environment, check=True)
    here = ["cargo", "build", "--locked", "--package", "simulators", "--package", "local"]
    subprocess.run(here, cwd=ROOT, env=environment, check=True)


def missing(folder: pathlib.Path) -> list[str]:
    """The functions that are not built."""
    return [name for name in functions() if not (folder / name / "bootstrap").is_file()]
