"""Files that go straight to the bucket: what is what it says is served, the rest is put away."""

import struct
import zlib
from typing import Any

from checks import Checks
from net import Answer, request, wait_for
from stack import Stack
from tenant import Tenant


def png() -> bytes:
    """A picture of one white pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def announce(tenant: Tenant, content: bytes) -> Any:
    """Asks where to upload what is said to be a picture."""
    body = {"token": tenant.token, "filename": "photo.png", "content_type": "image/png", "size": len(content)}
    return tenant.call("POST", "/api/campaigns/upload_url", body)


def put(announced: Any, content: bytes) -> Answer:
    """Uploads as the announcement says."""
    return request(announced["method"], announced["upload_url"], content, announced["headers"])


def uploads(checks: Checks, tenant: Tenant, stack: Stack) -> None:
    """A true file, a lying one, and one of another size than announced."""
    picture = png()
    announced = announce(tenant, picture)
    checks.equal("nothing is served before its upload", request("GET", announced["url"]).status, 404)
    checks.equal("the bucket takes what was announced", put(announced, picture).status, 200)
    served = wait_for("the verified file", 60, lambda: redirect(announced["url"]))
    fetched = request("GET", served)
    checks.equal("its URL leads to the same bytes", fetched.body, picture)
    checks.equal("with their type", fetched.headers.get("content-type"), "image/png")

    lie = b"MZ" + b"\0" * (len(picture) - 2)
    announced = announce(tenant, lie)
    checks.equal("the bucket takes a lie", put(announced, lie).status, 200)
    bucket = stack.outputs["MediaBucket"]
    s3 = stack.client("s3")
    identifier = announced["url"].split("/media/")[1].split("/")[0]

    def below(prefix: str) -> list[str]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in listed if identifier in entry["Key"]]

    wait_for("the lie in quarantine", 60, lambda: below("quarantine/"))
    wait_for("the upload's end", 30, lambda: not below("uploads/"))
    checks.equal("a lie is not served", request("GET", announced["url"]).status, 404)
    checks.equal("nor kept among the files", below("files/"), [])

    announced = announce(tenant, picture)
    more = picture + b"more"
    refused = put(announced | {"headers": announced["headers"] | {"content-length": str(len(more))}}, more)
    checks.equal("the bucket refuses another size than announced", refused.status, 403)


def redirect(url: str) -> str | None:
    """Where a media URL leads, once it leads anywhere."""
    answer = request("GET", url)
    return answer.headers["location"] if answer.status == 302 else None
