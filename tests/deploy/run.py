#!/usr/bin/env python3
"""Deploys infra/template.yaml as it is and drives the product through its API.

    python3 tests/deploy/run.py                      # on MiniStack, which it starts: nothing else is needed
    python3 tests/deploy/run.py --no-build --keep    # with what is built, and leaves it running until Ctrl-C
    python3 tests/deploy/run.py --endpoint-url http://localhost.localstack.cloud:4566 --graph-host host.docker.internal
    python3 tests/deploy/run.py --profile NAME --region eu-central-1        # on AWS, in a stack of its own

Meta is played by the simulator on this machine, which functions on AWS cannot reach: there, what needs Meta is left
out. The last line counts; the exit status is 0 when nothing failed.
"""

import argparse
import importlib
import pathlib
import sys

import venvs


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--endpoint-url", help="of an emulator that runs already")
    where.add_argument("--profile", help="of an AWS account")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--stack", default="staffetta-test", help="its name; what it keeps is deleted with it")
    parser.add_argument("--graph-host", default="127.0.0.1", help="how functions reach this machine")
    parser.add_argument("--target", type=pathlib.Path, default=venvs.target(), help="cargo's target folder")
    parser.add_argument("--simulator", type=pathlib.Path, help="its binary, when it is not in the target folder")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--no-lint", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave everything as it is at the end")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    venvs.enter()
    # Only in that environment there is a boto3 to import.
    return int(importlib.import_module("drive").run(given))


if __name__ == "__main__":
    sys.exit(main())
