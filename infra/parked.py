#!/usr/bin/env python3
"""What is parked: jobs that failed five times, or that their worker could not read.

    python3 infra/parked.py                                   # of the stack `staffetta`
    python3 infra/parked.py --stack staffetta-dev --profile ops --region eu-central-1
    python3 infra/parked.py --endpoint-url http://127.0.0.1:9002          # of the local process
    python3 infra/parked.py --redrive campaign                # back to where they came from, all of them
    python3 infra/parked.py --redrive send --id 5f2c... --id 81aa...
    python3 infra/parked.py --delete inbound --id 5f2c...

Bodies may hold names, numbers and messages of people: they are shown with --bodies only. A job is put back before it
is taken out, so that it may be done twice but is never lost; every job can bear that. Needs boto3.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3

QUEUES = ("campaign", "send", "inbound", "media")
# How long a message is hidden from others while it is looked at; afterwards it is given back.
HOLD_SECONDS = 120
# What SQS takes in one call: ten messages, 256 KiB.
BATCH, BATCH_BYTES = 10, 256 * 1024

Message = dict[str, Any]


class Parked:
    """The dead-letter queue of one queue."""

    def __init__(self, sqs: Any, prefix: str, queue: str) -> None:
        self._sqs = sqs
        self._source_name = f"{prefix}-{queue}"
        self._url = sqs.get_queue_url(QueueName=f"{prefix}-{queue}-dlq")["QueueUrl"]

    def pages(self) -> Iterator[list[Message]]:
        """Every message, each once, ten at a time. They stay hidden until they are given back."""
        seen: set[str] = set()
        while True:
            # A long poll asks every server of the queue; a short one may answer nothing although there is something.
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=BATCH, VisibilityTimeout=HOLD_SECONDS, WaitTimeSeconds=1,
                AttributeNames=["All"], MessageAttributeNames=["All"],
            )
            fresh = [m for m in answer.get("Messages", []) if m["MessageId"] not in seen]
            if not fresh:
                return
            seen.update(m["MessageId"] for m in fresh)
            yield fresh

    def give_back(self, messages: list[Message]) -> None:
        """Lets others see the messages again."""
        for part in parts(messages):
            entries = [handle(i, m) | {"VisibilityTimeout": 0} for i, m in enumerate(part)]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def redrive(self, messages: list[Message]) -> int:
        """Sends the messages to their queue again, then takes out what it took."""
        source = self._sqs.get_queue_url(QueueName=self._source_name)["QueueUrl"]
        moved = 0
        for part in parts(messages):
            entries = [{"Id": str(i), "MessageBody": m["Body"]} for i, m in enumerate(part)]
            sent = self._sqs.send_message_batch(QueueUrl=source, Entries=entries)
            moved += self.delete([part[int(entry["Id"])] for entry in sent.get("Successful", [])])
        return moved

    def delete(self, messages: list[Message]) -> int:
        """Takes the messages out for good."""
        gone = 0
        for part in parts(messages):
            entries = [handle(i, m) for i, m in enumerate(part)]
            answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            gone += len(answer.get("Successful", []))
        return gone


def handle(number: int, message: Message) -> dict[str, Any]:
    """How a batch names a message that was received."""
    return {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}


def parts(messages: list[Message]) -> Iterator[list[Message]]:
    """The messages in the portions that SQS takes."""
    part: list[Message] = []
    size = 0
    for message in messages:
        length = len(message["Body"].encode())
        if part and (len(part) == BATCH or size + length > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(message)
        size += length
    if part:
        yield part


def reason(message: Message) -> str:
    """Why it is here: its worker says so, a schedule could not deliver it, or its last try failed."""
    said = {name: str(value.get("StringValue", "")) for name, value in message.get("MessageAttributes", {}).items()}
    if "reason" in said:
        return said["reason"]
    if "ERROR_CODE" in said:
        return f"its schedule could not deliver it ({said['ERROR_CODE']})"
    return "failed every time it was tried"


def job(body: str) -> str:
    """Kind and version of a job, without what it is about."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return "not JSON"
    if not isinstance(parsed, dict):
        return "no job"
    if "Records" in parsed:
        return "S3 event"
    inner = parsed.get("job")
    kind = inner.get("type") if isinstance(inner, dict) else None
    return f"{str(kind)[:40] if kind else '?'} v{str(parsed.get('v', '?'))[:8]}"


def line(queue: str, message: Message) -> str:
    """One message as the list shows it."""
    attributes = message.get("Attributes", {})
    sent = datetime.datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, datetime.timezone.utc)
    received = attributes.get("ApproximateReceiveCount", "?")
    what = f"{message['MessageId']:<36}  {sent:%Y-%m-%dT%H:%M:%SZ}  {received:>3}x  {job(message['Body']):<14}"
    return f"{queue:<9} {what}  {reason(message)}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", "--prefix", default="staffetta", help="what the queues' names begin with")
    parser.add_argument("--profile")
    parser.add_argument("--region")
    parser.add_argument("--endpoint-url", help="of an emulator or of the local process")
    parser.add_argument("--bodies", action="store_true", help="show bodies; they may hold personal data")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--redrive", metavar="QUEUE", choices=QUEUES, help="put jobs back into their queue")
    action.add_argument("--delete", metavar="QUEUE", choices=QUEUES, help="take jobs out for good; needs --id")
    parser.add_argument("--id", action="append", default=[], help="only this message; may be given several times")
    given = parser.parse_args()
    if given.delete and not given.id:
        parser.error("--delete needs --id")
    return given


def client(given: argparse.Namespace) -> Any:
    """SQS. The local process checks no credentials, but the SDK insists on some."""
    session = boto3.Session(profile_name=given.profile, region_name=given.region)
    local = given.endpoint_url and not given.profile and not session.get_credentials()
    fake = {"aws_access_key_id": "local", "aws_secret_access_key": "local"} if local else {}
    region = session.region_name or ("us-east-1" if given.endpoint_url else None)
    return session.client("sqs", endpoint_url=given.endpoint_url, region_name=region, **fake)


def show(sqs: Any, given: argparse.Namespace) -> int:
    """Lists what is parked, everywhere."""
    total = 0
    for queue in QUEUES:
        parked = Parked(sqs, given.stack, queue)
        held: list[Message] = []
        for page in parked.pages():
            for message in page:
                print(line(queue, message))
                if given.bodies:
                    print(f"          {message['Body']}")
            held += page
        parked.give_back(held)
        total += len(held)
    print(f"{total} parked")
    return 0


def act(sqs: Any, given: argparse.Namespace) -> int:
    """Puts jobs of one queue back, or deletes them."""
    parked = Parked(sqs, given.stack, given.redrive or given.delete)
    done, missing = 0, set(given.id)
    others: list[Message] = []
    failed = 0
    for page in parked.pages():
        wanted = [m for m in page if not given.id or m["MessageId"] in given.id]
        others += [m for m in page if m not in wanted]
        count = parked.redrive(wanted) if given.redrive else parked.delete(wanted)
        done, failed = done + count, failed + len(wanted) - count
        missing -= {m["MessageId"] for m in wanted}
    parked.give_back(others)
    print(f"{done} put back into {given.redrive}" if given.redrive else f"{done} deleted from {given.delete}")
    for identifier in sorted(missing):
        print(f"{identifier} is not there, or somebody else is looking at it", file=sys.stderr)
    if failed:
        print(f"{failed} could not be moved: try again", file=sys.stderr)
    return 1 if missing or failed else 0


def main() -> int:
    given = arguments()
    sqs = client(given)
    return act(sqs, given) if given.redrive or given.delete else show(sqs, given)


if __name__ == "__main__":
    sys.exit(main())
