"""One run: lint, build, deploy, and everything that the product is for."""

import argparse
import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

import boto3

import campaigns
import codes
import credits
import queues
import shop
import uploads
import webhooks
from build import build, missing
from checks import Checks
from emulator import Emulator
from lint import lint
from net import free_port
from parity import parity
from processes import Local, Relay, Simulator
from stack import INFRA, Stack
from tenant import Tenant

FAKE = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def run(given: argparse.Namespace) -> int:
    """All of it; the exit status."""
    checks = Checks()
    if not given.no_lint:
        with checks.part("the template"):
            lint(checks)
    if not given.no_build:
        with checks.part("the build"):
            build(given.target)
    binaries = given.target / "lambda"
    absent = missing(binaries)
    if absent:
        checks.check("every function is built", False, f"{', '.join(absent)} not below {binaries}")
    else:
        home = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-deploy-"))
        with checks.part("the deployment"), contextlib.ExitStack() as cleanup:
            deploy(given, checks, home, cleanup)
        if checks.failed or given.keep:
            print(f"\nlogs are in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    print(f"\n{checks.summary()}")
    return 1 if checks.failed else 0


def deploy(given: argparse.Namespace, checks: Checks, home: pathlib.Path, cleanup: contextlib.ExitStack) -> None:
    """Makes the stack, and drives what needs no Meta; then the rest, where the simulator can be reached."""
    endpoint = given.endpoint_url
    if not endpoint and not given.profile:
        emulator = Emulator(home)
        cleanup.callback(emulator.stop)
        # Asked last, and before the emulator goes: callbacks run in reverse.
        cleanup.callback(lambda: checks.equal("no function wanted more than its role allows", emulator.refusals(), []))
        endpoint = emulator.url
    session = boto3.Session(
        profile_name=given.profile, region_name=given.region, **(FAKE if endpoint else {})
    )
    stack = Stack(session, endpoint, given.stack)
    parameters = {"Stage": "test", "DeletionProtection": "false", "LogLevel": "info", "LogRetentionDays": "1"}
    graph_port = free_port()
    if endpoint:
        parameters |= {
            "AwsEndpointUrl": endpoint,
            "OutboundAllow": given.graph_host,
            "MetaGraphUrl": f"http://{given.graph_host}:{reachable(graph_port, given.graph_host, cleanup)}/v25.0",
        }
    elif not given.keep:
        cleanup.callback(stack.erase)
    stack.deploy(given.target / "lambda", parameters)
    checks.check("the stack stands", bool(stack.outputs))
    admin_key = operator(stack, "admin_key.py").strip()
    tenant = Tenant(stack.outputs["ApiUrl"], admin_key, "deployed")
    checks.check("the derived admin key makes a tenant", bool(tenant.key))
    with checks.part("jobs that cannot be read"):
        queues.unreadable(checks, stack)
    with checks.part("a parked job goes back"):
        queues.redriven(checks, stack, tenant)
    with checks.part("one record of a batch fails"):
        queues.partial(checks, stack, tenant)
    with checks.part("uploads"):
        uploads.uploads(checks, tenant, stack)
    with checks.part("lists and credits"):
        credits.lists(checks, tenant)
        credits.credits(checks, Tenant(tenant.base, admin_key, "agency"), admin_key)
    if not endpoint:
        print("\nleft out, because AWS cannot reach the simulator of Meta: campaigns, comparison with local")
        return
    with_meta(given, checks, home, cleanup, stack, tenant, admin_key, graph_port)
    if given.keep:
        print(f"\nthe API is {tenant.base}, AWS is {endpoint}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt, EOFError):
            input()


def with_meta(
    given: argparse.Namespace, checks: Checks, home: pathlib.Path, cleanup: contextlib.ExitStack, stack: Stack,
    tenant: Tenant, admin_key: str, graph_port: int,
) -> None:
    """Campaigns, and the same answers as the local process gives."""
    programs = given.target / "debug"
    simulator = Simulator(given.simulator or programs / "simulators", graph_port, stack.webhook_url(), home)
    cleanup.callback(simulator.stop)
    with checks.part("a campaign"):
        tenant.connect()
        campaigns.campaign(checks, tenant, simulator)
    with checks.part("webhooks"):
        receiver = webhooks.Receiver()
        cleanup.callback(receiver.stop)
        webhooks.webhooks(checks, tenant, receiver, f"http://{given.graph_host}:{receiver.port}")
    with checks.part("a scheduled campaign"):
        campaigns.scheduled(checks, tenant, simulator, stack)
    with checks.part("a catalog and an order"):
        shop.shop(checks, tenant, simulator)
    with checks.part("one-time codes"):
        codes.codes(checks, tenant, simulator)
    with checks.part("deployed and local give the same answers"):
        local = Local(programs / "local", home, admin_key)
        cleanup.callback(local.stop)
        parity(checks, Tenant(tenant.base, admin_key, "parity"), Tenant(local.url, admin_key, "parity"))


def reachable(port: int, host: str, cleanup: contextlib.ExitStack) -> int:
    """A port of this machine that leads to the simulator's for those who know the machine by another name."""
    if host == "127.0.0.1":
        return port
    relay = Relay(port)
    cleanup.callback(relay.stop)
    return relay.port


def operator(stack: Stack, command: str) -> str:
    """What a command of infra/ prints about the stack."""
    line: list[str | pathlib.Path] = [sys.executable, INFRA / command, *stack.operator_arguments()]
    done = subprocess.run(line, env=stack.operator_environment(), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout
