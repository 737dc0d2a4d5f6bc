"""MiniStack with four things that its access control does not know: a PartiQL batch is authorised statement by
statement, as PartiQLInsert and so on; a batch of messages as one message is; every request to DynamoDB has `dynamodb:LeadingKeys`, the partition keys that it
names; a schedule belongs to its group. With them an emulated function is held to its role as on AWS. What a role
refuses is printed.

Started in place of `python -m ministack`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator

# The partition keys of the table and of its index.
KEYS = ("pk", "cpk")
VERBS = {"SELECT": "Select", "INSERT": "Insert", "UPDATE": "Update", "DELETE": "Delete"}
TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"([^"]+)"', re.IGNORECASE)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
SINGLE = {"sqs:SendMessageBatch": "sqs:SendMessage", "sqs:DeleteMessageBatch": "sqs:DeleteMessage"}

# What the log's lines about refusals begin with.
REFUSED = "refused:"

known_checks = iam_actions.dynamodb_transaction_checks
known_context = iam_actions.dynamodb_service_context
known_resource = iam_actions.extract_resource_arn
known_verdict = iam_evaluator.enforce


def statements(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The PartiQL of a request."""
    return data.get("Statements") or ([data] if "Statement" in data else [])


def checks(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
    """What a request is authorised as, where that is not its own name."""
    if action not in ("dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement"):
        return list(known_checks(action, body, region, account))
    found = []
    for statement in statements(json.loads(body)):
        text = statement["Statement"].strip()
        table = TABLE.search(text)
        arn = f"arn:aws:dynamodb:{region}:{account}:table/{table[1] if table else '?'}"
        found.append((f"dynamodb:PartiQL{VERBS.get(text.split()[0].upper(), 'Unknown')}", arn))
    return found


def context(body: bytes) -> dict[str, Any]:
    """The condition keys of a request."""
    data = json.loads(body or b"{}")
    keys = sorted(set(leading(data)))
    return dict(known_context(body)) | ({"dynamodb:LeadingKeys": keys} if keys else {})


def resource(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *rest: Any) -> str:
    """What a request is about."""
    arn = str(known_resource(service, method, path, headers, body, query, *rest))
    if service == "scheduler" and ":schedule/default/" in arn:
        group = (json.loads(body) if body else {}).get("GroupName") or (query or {}).get("groupName", "default")
        group = group[0] if isinstance(group, list) else group
        arn = arn.replace(":schedule/default/", f":schedule/{group}/")
    return arn


def verdict(access_key: str, action: str, *arguments: Any, **named: Any) -> Any:
    """Whether a request is refused; if so, which and to whom."""
    action = SINGLE.get(action, action)
    denied = known_verdict(access_key, action, *arguments, **named)
    if denied:
        keys = (named.get("service_context") or {}).get("dynamodb:LeadingKeys", "")
        who = getattr(denied, "principal_arn", access_key)
        print(f"{REFUSED} {action} {named.get('resource_arn', '')} {keys} to {who}", flush=True)
    return denied


def leading(data: dict[str, Any]) -> Iterator[str]:
    """Every partition key that a request names."""
    for statement in statements(data):
        yield from named_in(statement)
    if condition := data.get("KeyConditionExpression"):
        names = data.get("ExpressionAttributeNames", {})
        for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition):
            if names.get(name, name) in KEYS:
                yield data["ExpressionAttributeValues"][value]["S"]
        return
    yield from in_items(data)


def named_in(statement: dict[str, Any]) -> Iterator[str]:
    """The partition key of a statement, whose values are all parameters."""
    text, values = statement["Statement"], statement.get("Parameters", [])
    for match in re.finditer(r"'pk'\s*:\s*\?|\bpk\s*=\s*\?", text):
        yield values[text.count("?", 0, match.end()) - 1]["S"]


def in_items(value: Any) -> Iterator[str]:
    """The partition keys of the items and keys of a request, however deep they are."""
    if isinstance(value, list):
        for item in value:
            yield from in_items(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ("Key", "Item") and isinstance(item, dict):
                yield item["pk"]["S"]
            elif name == "Keys" and isinstance(item, list):
                yield from (key["pk"]["S"] for key in item)
            elif name in ("RequestItems", "TransactItems") or isinstance(item, dict | list):
                yield from in_items(item)


if __name__ == "__main__":
    iam_actions.dynamodb_transaction_checks = checks
    iam_actions.dynamodb_service_context = context
    iam_actions.extract_resource_arn = resource
    iam_evaluator.enforce = verdict
    main()
