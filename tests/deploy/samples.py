"""Requests whose answers must be the same wherever the product runs: what is called most, and what goes wrong most.

They run in this order against a fresh tenant, so that ids are the same on both sides. `{token}` and `{apikey}` stand
for the tenant's own. Not here: what the gateway answers by itself (413, 429, 503, OPTIONS), and what depends on time.
"""

import dataclasses
import json
from typing import Any

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PICTURE = (
    "--edge\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n"
    "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
    "GIF89a, a lie\r\n--edge--\r\n"
)


@dataclasses.dataclass(frozen=True)
class Sample:
    """A request and the status that it must have on both sides."""

    status: int
    method: str
    path: str
    body: str | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def title(self) -> str:
        """What lists call it."""
        body = f" {self.body[:60]}" if self.body else ""
        return f"{self.method} {self.path}{body}".replace("\r\n", " ")


def sendapp(status: int, method: str, path: str, body: Any = None, **headers: str) -> Sample:
    """`/api`: the key in a header."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return Sample(status, method, path, text, JSON | {"X-API-Key": "{apikey}"} | headers)


def sendwo(status: int, method: str, path: str, body: Any = None) -> Sample:
    """`/api/v1`: the key among the parameters."""
    if body is None:
        return Sample(status, method, f"{path}{'&' if '?' in path else '?'}apiToken={{apikey}}")
    return Sample(status, method, path, json.dumps(body | {"apiToken": "{apikey}"}), JSON)


def bearer(status: int, method: str, path: str, body: Any = None) -> Sample:
    """`/v1/whatsapp`: the key as a bearer's."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return Sample(status, method, path, text, JSON | {"Authorization": "Bearer {apikey}"})


MARIO = {"name": "Mario Rossi", "phone": "+39 339 123 4567", "tags": ["vip"], "metadata": {"code": "M-1"}}
BULK = {"contacts": [
    MARIO | {"email": "mario@example.com"},
    {"name": "Anna Bianchi", "phone": "+393391234568", "tags": ["vip", "news"]},
    {"name": "Bob", "phone": "12"},
]}
DRAFT = {"token": "{token}", "name": "Promo", "channel": "whatsapp", "message_type": "template",
         "template_name": "parity", "template_params": ["{{name|amico}}"], "recipient_type": "tags", "tags": ["vip"]}
SEND = {"token": "{token}", "number": "393391234567"}
WEBHOOK = "/api/integrations/webhook/{token}"
SECRET = {"token": "{token}", "shop": "shopify", "secret": "fake-secret"}

FLOW = {"name": "Hello", "start": "hi", "triggers": [{"on": "keyword", "words": ["hi"]}],
        "steps": {"hi": {"do": "message", "text": "Hello {{name|there}}"}}}

SENDAPP = [
    sendapp(200, "GET", "/api/account"),
    sendapp(200, "GET", "/api/get_tokens"),
    sendapp(200, "POST", "/api/create_accounts", {"name": "Second"}),
    sendapp(422, "POST", "/api/create_accounts", {}),
    sendapp(201, "POST", "/api/operators", {"name": "Anna"}),
    sendapp(200, "GET", "/api/operators"),
    sendapp(404, "POST", "/api/operators/999/disable"),
    sendapp(200, "POST", "/api/accounts/settings", {"token": "{token}", "default_country": "39", "help_message": "9-18"}),
    sendapp(200, "POST", "/api/accounts/settings", {"token": "{token}", "default_country": "", "help_message": ""}),
    sendapp(422, "POST", "/api/accounts/settings", {"token": "{token}", "default_country": "Atlantide"}),
    sendapp(422, "POST", "/api/accounts/connect_meta", {"token": "{token}", "phone_number_id": "x"}),
    sendapp(201, "POST", "/api/contacts", MARIO),
    sendapp(201, "POST", "/api/contacts", MARIO | {"email": "mario@example.com"}),
    Sample(201, "POST", "/api/contacts", "apikey={apikey}&name=Carla+Verdi&phone=%2B393391234569", FORM),
    sendapp(422, "POST", "/api/contacts", {"name": "Nobody"}),
    sendapp(400, "POST", "/api/contacts", "{not json"),
    sendapp(200, "POST", "/api/contacts/bulk", BULK),
    sendapp(200, "GET", "/api/contacts"),
    sendapp(200, "GET", "/api/contacts?search=rossi&page=1&per_page=2"),
    sendapp(422, "GET", "/api/contacts?page=0"),
    sendapp(404, "DELETE", "/api/contacts/99999"),
    sendapp(200, "DELETE", "/api/contacts/bulk", {"ids": [2, 99999]}),
    Sample(401, "GET", "/api/contacts"),
    sendapp(401, "GET", "/api/contacts", **{"X-API-Key": "sk_live_nobody"}),
    sendapp(405, "PATCH", "/api/contacts"),
    sendapp(404, "GET", "/api/nothing/here"),
    sendapp(404, "GET", "/"),
    sendapp(404, "GET", "/api/contacts/1/nothing"),
    sendapp(200, "GET", "/api/whatsapp-meta/get_templates?token={token}"),
    sendapp(422, "POST", "/api/whatsapp-meta/create_template", {"token": "{token}", "name": "x"}),
    sendapp(200, "POST", "/api/whatsapp-meta/send", SEND | {
        "type": "template", "template": {"name": "parity", "language": "it", "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Mario"}]}]}}),
    sendapp(422, "POST", "/api/whatsapp-meta/send", SEND | {"type": "song"}),
    sendapp(422, "POST", "/api/whatsapp-meta/send", {"token": "{token}", "type": "freetext", "message": "x"}),
    sendapp(404, "POST", "/api/whatsapp-meta/send", SEND | {"token": "nobody", "type": "freetext", "message": "x"}),
    sendapp(405, "GET", "/api/whatsapp-meta/send"),
    sendapp(200, "POST", "/api/campaigns/draft", DRAFT),
    sendapp(422, "POST", "/api/campaigns/draft", DRAFT | {"channel": "pigeon"}),
    sendapp(200, "GET", "/api/campaigns"),
    sendapp(200, "GET", "/api/campaigns/1"),
    sendapp(200, "POST", "/api/campaigns/1/preflight"),
    sendapp(409, "POST", "/api/campaigns/1/pause"),
    sendapp(422, "GET", "/api/campaigns/1/report.csv?format=pdf"),
    sendapp(404, "GET", "/api/campaigns/77/report.xlsx"),
    sendapp(404, "POST", "/api/campaigns/launch", {"campaign_id": 77}),
    sendapp(404, "GET", "/api/campaigns/77"),
    Sample(422, "POST", "/api/campaigns/upload_media", PICTURE,
           {"Content-Type": "multipart/form-data; boundary=edge", "X-API-Key": "{apikey}"}),
    sendapp(200, "POST", "/api/campaigns/upload_url", {
        "token": "{token}", "filename": "a.png", "content_type": "image/png", "size": 68}),
    sendapp(422, "POST", "/api/campaigns/upload_url", {
        "token": "{token}", "filename": "a.exe", "content_type": "application/x-msdownload", "size": 10}),
    sendapp(200, "GET", "/api/orders"),
    sendapp(404, "GET", "/api/orders/999"),
    sendapp(404, "GET", "/api/catalogs/999/products"),
    *(sendapp(200, "POST", f"{WEBHOOK}?source=crm", body) for body in (
        MARIO, MARIO, [MARIO, {"email": "ada@example.com"}], {}, "{not json")),
    Sample(200, "POST", WEBHOOK, "fields[nome]=Ada&fields[cellulare]=%2B393475550120", FORM),
    sendapp(404, "POST", "/api/integrations/webhook/nobody", MARIO),
    Sample(200, "GET", WEBHOOK),
    sendapp(200, "POST", "/api/integrations/secrets", SECRET),
    sendapp(422, "POST", "/api/integrations/secrets", SECRET | {"shop": "magento"}),
    sendapp(401, "POST", f"{WEBHOOK}?source=shopify", MARIO),
    sendapp(200, "DELETE", "/api/integrations/secrets", SECRET),
    sendapp(200, "GET", "/api/integrations/secrets?token={token}"),
    sendapp(200, "GET", "/api/integrations/log?token={token}&limit=2"),
    sendapp(422, "GET", "/api/integrations/log?token={token}&before=x"),
    sendapp(200, "POST", "/api/flows/validate", {"flow": FLOW}),
    sendapp(422, "POST", "/api/flows", {"flow": FLOW | {"start": "nowhere"}}),
    sendapp(200, "GET", "/api/flows"),
    sendapp(404, "GET", "/api/flows/nobody/runs"),
    sendapp(404, "POST", "/api/conversation/99999/handover", {"token": "{token}"}),
    Sample(404, "GET", "/media/00000000000000000000000000000000/a.png"),
    Sample(401, "POST", "/api/tenants", "{}", JSON | {"X-Admin-Key": "nobody"}),
    Sample(403, "GET", "/webhooks/meta?hub.mode=subscribe&hub.verify_token=nobody&hub.challenge=1"),
    Sample(401, "POST", "/webhooks/meta", "{}", JSON | {"X-Hub-Signature-256": "sha256=00"}),
]

# Sendwo answers 200 to nearly everything; its body says what went wrong.
SENDWO = [
    sendwo(200, "GET", "/api/v1/subscriber/list"),
    sendwo(200, "POST", "/api/v1/subscriber/create", {"phoneNumber": "393391234570", "name": "Dora"}),
    sendwo(200, "POST", "/api/v1/subscriber/create", {"name": "Nobody"}),
    sendwo(200, "POST", "/api/v1/whatsapp/send-text-message", {"phone_number": "393391234570"}),
    sendwo(200, "POST", "/api/v1/whatsapp/trigger-bot-flow", {"to": "393391234570", "flowId": "nobody"}),
    sendwo(200, "GET", "/api/v1/whatsapp/bot-flow/list"),
    sendwo(200, "GET", "/api/v1/catalog/order/list"),
    sendwo(200, "POST", "/api/v1/catalog/sync", {"catalogId": "999"}),
    Sample(401, "GET", "/api/v1/subscriber/list"),
    Sample(200, "POST", "/api/v1/subscriber/create", "{not json", JSON),
    sendwo(405, "DELETE", "/api/v1/subscriber/list"),
    sendwo(200, "GET", "/api/v1/nothing"),
]

SENDAPI = [
    bearer(200, "GET", "/v1/whatsapp/contacts?page=1&limit=2"),
    bearer(422, "GET", "/v1/whatsapp/contacts?page=x"),
    Sample(401, "GET", "/v1/whatsapp/contacts"),
    bearer(405, "DELETE", "/v1/whatsapp/contacts"),
    bearer(404, "GET", "/v1/whatsapp/nothing"),
]

DMCHAMP = [
    sendapp(201, "POST", "/v1/contacts", {"firstName": "Elio", "phoneNumber": "+393391234571"}),
    sendapp(200, "GET", "/v1/contacts?phoneNumber=%2B393391234571"),
    sendapp(404, "GET", "/v1/contacts?email=nobody%40example.com"),
    sendapp(400, "POST", "/v1/contacts", {}),
    sendapp(400, "POST", "/v1/contacts", "{not json"),
    Sample(401, "GET", "/v1/contacts"),
    sendapp(405, "PUT", "/v1/contacts"),
    sendapp(404, "GET", "/v1/nothing"),
]

SAMPLES = SENDAPP + SENDWO + SENDAPI + DMCHAMP
