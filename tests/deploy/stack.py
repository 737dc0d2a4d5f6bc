"""Packages infra/template.yaml, deploys it and takes it down again."""

import hashlib
import io
import os
import pathlib
import re
import socket
import urllib.parse
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

ROOT = pathlib.Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


def functions() -> list[str]:
    """The functions that the template deploys."""
    return re.findall(r"CodeUri: \.\./target/lambda/([a-z-]+)/", (INFRA / "template.yaml").read_text())


def zipped(binary: pathlib.Path) -> bytes:
    """A function's package: the same bytes for the same binary."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap", (2020, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, binary.read_bytes())
    return buffer.getvalue()


class Stack:
    """A stack of the template, and the bucket of its packages."""

    def __init__(self, session: boto3.Session, endpoint: str | None, name: str) -> None:
        self.name = name
        self.endpoint = endpoint
        self._session = session
        self._cloudformation = self.client("cloudformation")
        self._s3 = self.client("s3")
        account = self.client("sts").get_caller_identity()["Account"]
        self._packages = f"{name}-packages-{account}-{session.region_name}"
        self.outputs: dict[str, str] = {}

    def client(self, service: str) -> Any:
        """A client of the place where the stack is."""
        return self._session.client(service, endpoint_url=self.endpoint)

    def deploy(self, binaries: pathlib.Path, parameters: Mapping[str, str]) -> None:
        """Creates the stack of `<binaries>/<function>/bootstrap`, or brings it up to date."""
        self._make_bucket()
        arguments = {
            "StackName": self.name,
            "TemplateURL": self._package(binaries),
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        try:
            if self._exists():
                self._cloudformation.update_stack(**arguments)
                self._cloudformation.get_waiter("stack_update_complete").wait(StackName=self.name)
            else:
                self._cloudformation.create_stack(**arguments)
                waiter = self._cloudformation.get_waiter("stack_create_complete")
                waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1 if self.endpoint else 10, "MaxAttempts": 180})
        except WaiterError as error:
            raise RuntimeError("the stack failed: " + "; ".join(self._reasons())) from error
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
        stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def operator_arguments(self) -> list[str]:
        """How the commands of infra/ are told where the stack is."""
        where = ["--endpoint-url", self.endpoint] if self.endpoint else []
        profile = ["--profile", self._session.profile_name] if not self.endpoint else []
        return ["--stack", self.name, "--region", str(self._session.region_name), *where, *profile]

    def operator_environment(self) -> dict[str, str]:
        """The environment of those commands: an emulator wants credentials, whatever they are."""
        fake = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} if self.endpoint else {}
        return os.environ | fake

    def resource(self, logical: str) -> str:
        """A resource's physical id."""
        detail = self._cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId=logical)
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def webhook_url(self) -> str:
        """Where the simulator posts: the API's own endpoint. Where that name is not to be resolved, as below
        `localhost` on many machines, it is the path under which emulators serve the same API."""
        url = self.outputs["MetaWebhookUrl"]
        host = urllib.parse.urlsplit(url).hostname or ""
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return f"{self.endpoint}/_aws/execute-api/{self.outputs['ApiId']}/$default/webhooks/meta"
        return url

    def erase(self) -> None:
        """Deletes the stack of a test, what it retains, and its packages."""
        self._cloudformation.delete_stack(StackName=self.name)
        self._cloudformation.get_waiter("stack_delete_complete").wait(StackName=self.name)
        if self.outputs:
            self.client("dynamodb").delete_table(TableName=self.outputs["TableName"])
            secrets = self.client("secretsmanager")
            secrets.delete_secret(SecretId=self.outputs["SecretArn"], ForceDeleteWithoutRecovery=True)
            self._empty(self.outputs["MediaBucket"])
        self._empty(self._packages)

    def _empty(self, bucket: str) -> None:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                self._s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
        self._s3.delete_bucket(Bucket=bucket)

    def _exists(self) -> bool:
        try:
            self._cloudformation.describe_stacks(StackName=self.name)
        except ClientError:
            return False
        return True

    def _reasons(self) -> Iterable[str]:
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        for event in events:
            if event["ResourceStatus"].endswith("_FAILED"):
                yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason')}"

    def _make_bucket(self) -> None:
        region = self._session.region_name
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._s3.create_bucket(Bucket=self._packages, **where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise

    def _put(self, data: bytes, suffix: str) -> str:
        """Stores data under its hash, so that what did not change is not deployed again."""
        key = hashlib.sha256(data).hexdigest() + suffix
        self._s3.put_object(Bucket=self._packages, Key=key, Body=data)
        return key

    def _package(self, binaries: pathlib.Path) -> str:
        """What `sam package` does: paths become addresses of what was uploaded; nothing else changes."""

        def code(match: re.Match[str]) -> str:
            key = self._put(zipped(binaries / match[1] / "bootstrap"), ".zip")
            return f"CodeUri: s3://{self._packages}/{key}"

        def nested(match: re.Match[str]) -> str:
            return f"TemplateURL: {self._url(self._put((INFRA / match[1]).read_bytes(), '.yaml'))}"

        template = (INFRA / "template.yaml").read_text()
        template = re.sub(r"CodeUri: \.\./target/lambda/([a-z-]+)/", code, template)
        template = re.sub(r"TemplateURL: ([a-z-]+\.yaml)", nested, template)
        return self._url(self._put(template.encode(), ".yaml"))

    def _url(self, key: str) -> str:
        base = self.endpoint or f"https://s3.{self._session.region_name}.amazonaws.com"
        return f"{base}/{self._packages}/{key}"
