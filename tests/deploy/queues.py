"""Jobs that cannot be done: parked with their reason, seen by the operator's command, put back, never in the way."""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from checks import Checks
from net import wait_for
from stack import INFRA, Stack
from tenant import PHONE_NUMBER_ID, WABA_ID, Tenant

# DynamoDB's keys end at 2,048 bytes: a provider's id of this length can be stored nowhere, however often it is tried.
IMPOSSIBLE = "wamid." + "x" * 3_000


def parked(stack: Stack, *arguments: str) -> str:
    """The operator's command."""
    command: list[str | pathlib.Path] = [sys.executable, INFRA / "parked.py", *stack.operator_arguments(), *arguments]
    done = subprocess.run(command, env=stack.operator_environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"parked.py {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return str(done.stdout)


def ids(listed: str, queue: str) -> list[str]:
    """The ids of a queue's messages in the command's list."""
    return re.findall(rf"^{queue} +([0-9a-f-]{{36}}) ", listed, re.MULTILINE)


def greeting(tenant: Tenant, nth: int, provider_id: str | None = None) -> str:
    """The job of an inbound message of somebody new."""
    phone = f"39388{nth:07d}"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"wa_id": phone, "profile": {"name": f"Newcomer {nth}"}}],
        "messages": [{
            "from": phone, "id": provider_id or f"wamid.deploy{nth}", "timestamp": "1795000000", "type": "text",
            "text": {"body": "ciao"},
        }],
    }
    entry = {"id": WABA_ID, "changes": [{"field": "messages", "value": value}]}
    body = {"inline": json.dumps({"object": "whatsapp_business_account", "entry": [entry]})}
    job = {"type": "meta", "tenant": tenant.id, "account": tenant.account, "body": body, "signature": None}
    return json.dumps({"v": 1, "generation": 0, "job": job})


def newcomers(tenant: Tenant, first: int, count: int) -> int:
    """How many of the newcomers have become contacts."""
    phones = {f"+39388{nth:07d}" for nth in range(first, first + count)}
    listed = tenant.call("GET", "/api/contacts?search=Newcomer&per_page=100")["contacts"]
    return len([contact for contact in listed if contact["phone"] in phones])


def unreadable(checks: Checks, stack: Stack) -> None:
    """What no worker can read is parked at once, and says why."""
    sqs = stack.client("sqs")
    for body in ("{", json.dumps({"v": 99, "job": {"type": "plan"}})):
        sqs.send_message(QueueUrl=stack.outputs["CampaignQueueUrl"], MessageBody=body)
    dlq = stack.outputs["CampaignDlqUrl"]
    wait_for("two parked jobs", 60, lambda: depth(sqs, dlq) == 2)
    listed = parked(stack)
    found = ids(listed, "campaign")
    checks.equal("a malformed job and one of an unknown version are parked", len(found), 2)
    checks.check("the list says malformed", "malformed" in listed, listed)
    checks.check("the list says version 99", "version 99" in listed, listed)
    checks.check("bodies are not shown unasked", '"plan"' not in listed, listed)
    parked(stack, "--delete", "campaign", *[word for one in found for word in ("--id", one)])
    checks.equal("what was deleted is gone", ids(parked(stack), "campaign"), [])


def redriven(checks: Checks, stack: Stack, tenant: Tenant) -> None:
    """A good job among the parked ones goes back and is done."""
    sqs = stack.client("sqs")
    sqs.send_message(QueueUrl=stack.outputs["InboundDlqUrl"], MessageBody=greeting(tenant, 100))
    found = ids(parked(stack), "inbound")
    checks.equal("a good job is parked", len(found), 1)
    checks.equal("it is not done meanwhile", newcomers(tenant, 100, 1), 0)
    parked(stack, "--redrive", "inbound", "--id", found[0])
    wait_for("the redriven job", 30, lambda: newcomers(tenant, 100, 1) == 1)
    checks.equal("redriven, it is done and no longer parked", ids(parked(stack), "inbound"), [])


def partial(checks: Checks, stack: Stack, tenant: Tenant) -> None:
    """One record of a batch can never be done: the others are, and it alone is parked, with its reason."""
    sqs = stack.client("sqs")
    queue, dlq = stack.outputs["InboundQueueUrl"], stack.outputs["InboundDlqUrl"]
    bodies = [greeting(tenant, nth) for nth in range(9)]
    bodies.insert(4, greeting(tenant, 200, IMPOSSIBLE))
    with quick_retries(sqs, queue):
        entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        wait_for("the good records", 60, lambda: newcomers(tenant, 0, 9) == 9)
        wait_for("the bad record in the DLQ", 120, lambda: depth(sqs, dlq) == 1)
        # Whatever of the good ones had not been acknowledged would follow.
        wait_for("an empty queue", 30, lambda: depth(sqs, queue) == 0)
    listed = parked(stack)
    found = ids(listed, "inbound")
    checks.equal("the bad one alone is parked", len(found), 1)
    checks.check("the list says why", "too long" in listed, listed)
    parked(stack, "--delete", "inbound", "--id", *found)


def depth(sqs: Any, url: str) -> int:
    """Messages of a queue, those in work included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


@contextlib.contextmanager
def quick_retries(sqs: Any, url: str) -> Iterator[None]:
    """Lets a failed record come again after seconds; five tries as deployed take half an hour."""
    name = "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: "3"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before})
