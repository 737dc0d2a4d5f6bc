"""Events to a user's server: Meta's bytes, events of ours, sent again after a failure, and once more when asked."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
from typing import Any

from checks import Checks
from net import request, wait_for
from processes import APP_SECRET
from tenant import PHONE_NUMBER_ID, WABA_ID, Tenant


class Receiver:
    """A server that keeps what it is sent."""

    def __init__(self) -> None:
        self.status = 200
        self.events: list[tuple[Any, bytes, int]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.events.append((self.headers, body, receiver.status))
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, kind: str) -> list[tuple[Any, bytes, int]]:
        """The events of a type, as they came."""
        return [event for event in self.events if event[0]["webhook-event"] == kind]

    def stop(self) -> None:
        """Ends it."""
        self.server.shutdown()


def text(nth: int, words: str) -> bytes:
    """A webhook of Meta's with a message of somebody new."""
    sender = f"39389{nth:07d}"
    value = {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"wa_id": sender, "profile": {"name": f"Writer {nth}"}}],
        "messages": [{
            "from": sender, "id": f"wamid.hook{nth}", "timestamp": "1795000000", "type": "text", "text": {"body": words},
        }],
    }
    entry = {"id": WABA_ID, "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def post(tenant: Tenant, body: bytes) -> int:
    """Meta posts it."""
    signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    return request("POST", f"{tenant.base}/webhooks/meta", body, headers).status


def signed(secret: str, headers: Any, body: bytes) -> bool:
    """Whether the secret signed it, as Standard Webhooks say."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    tag = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{tag}" in headers["webhook-signature"].split(" ")


def webhooks(checks: Checks, tenant: Tenant, receiver: Receiver, base: str) -> None:
    """Registers both kinds, and follows events to them. `base` is how functions reach the receiver."""
    forward = tenant.call("POST", "/api/whatsapp-meta/set_webhook", {"token": tenant.token, "url": f"{base}/meta"})
    wanted = {"url": f"{base}/crm", "name": "CRM", "events": ["message.received", "contact.created"]}
    own = tenant.call("POST", "/api/webhooks", wanted)
    refused = tenant.ask("POST", "/api/webhooks", {"url": "https://10.0.0.1/", "name": "inside"})
    checks.equal("a private address is refused", refused.status, 422)

    body = text(1, "una riga abbastanza lunga " * 40)
    checks.equal("Meta's webhook is taken", post(tenant, body), 200)
    wait_for("three events", 60, lambda: len(receiver.events) >= 3)
    headers, got, _ = receiver.of("meta.change")[0]
    checks.equal("Meta's bytes arrive unchanged", got, body)
    checks.check("with Meta's signature", headers["x-hub-signature-256"].startswith("sha256="))
    checks.check("and ours", signed(forward["secret"], headers, got))
    headers, got, _ = receiver.of("message.received")[0]
    checks.check("an event of ours is signed", signed(own["secret"], headers, got))
    checks.equal("and says what was written", json.loads(got)["data"]["text"], "una riga abbastanza lunga " * 40)
    checks.equal("a new contact is told", len(receiver.of("contact.created")), 1)

    receiver.status = 503
    post(tenant, text(2, "ciao"))
    wait_for("a refused event", 60, lambda: len([e for e in receiver.of("meta.change") if e[2] == 503]) == 1)
    receiver.status = 200
    wait_for("it to come again", 90, lambda: len(receiver.of("meta.change")) == 3)
    ids = [event[0]["webhook-id"] for event in receiver.of("meta.change")]
    checks.equal("after a failure it comes again under its id", ids[2], ids[1])
    path = f"/api/webhooks/{forward['webhook']['id']}"
    wait_for("its log", 30, lambda: tenant.call("GET", f"{path}/deliveries/2")["delivery"]["state"] == "delivered")
    attempts = tenant.call("GET", f"{path}/deliveries/2")["attempts"]
    checks.equal("the log has both attempts", [attempt["status"] for attempt in attempts], [503, 200])

    replayed = tenant.call("POST", f"{path}/replay", {"delivery_id": 1})
    checks.equal("a delivery is sent again when asked", replayed["replayed"], 1)
    wait_for("it", 60, lambda: len(receiver.of("meta.change")) == 4)
    checks.equal("as it was", receiver.of("meta.change")[3][1], body)
    tested = tenant.call("POST", f"{path}/test", {})
    checks.equal("a test says what the server answers", tested["attempt"]["status"], 200)
    for one in (forward, own):
        tenant.call("DELETE", f"/api/webhooks/{one['webhook']['id']}")
