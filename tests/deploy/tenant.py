"""A customer of an installation: its key, its account, its number."""

import json
from typing import Any

from net import Answer, request, wait_for
from processes import APP_SECRET, VERIFY_TOKEN

# The simulator takes any numeric id and any token on first use.
PHONE_NUMBER_ID = "106540352242922"
WABA_ID = "102290129340398"
# The simulator takes 80 in a second; where everything shares two processors, sends do not leave evenly enough for that.
RATE = 60


class Tenant:
    """A tenant, made through the API as whoever runs the installation makes one."""

    def __init__(self, base: str, admin_key: str, name: str) -> None:
        self.base = base
        plan = {"requests_per_minute": 100_000, "heavy_requests_per_minute": 10_000}
        body = {"name": name, "email": f"{name}@example.com", "plan": plan}
        answer = self.send("POST", "/api/tenants", body, {"X-Admin-Key": admin_key})
        if answer.status != 201:
            raise RuntimeError(f"no tenant: {answer.status} {answer.text[:200]}")
        made = answer.json()
        self.id: str = made["tenant"]["id"]
        self.key: str = made["apikey"]
        account = self.call("POST", "/api/create_accounts", {"name": "Account"})
        self.account: int = account["account"]["id"]
        self.token: str = account["token"]

    def connect(self, number: str = PHONE_NUMBER_ID, waba: str = WABA_ID, secret: str = APP_SECRET) -> Any:
        """Connects a number of the simulator."""
        body = {
            "token": self.token, "phone_number_id": number, "waba_id": waba, "access_token": f"EAA-fake-{waba}",
            "app_secret": secret, "verify_token": VERIFY_TOKEN, "messages_per_second": RATE,
        }
        return self.call("POST", "/api/accounts/connect_meta", body)

    def send(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """A request without a key."""
        data = None if body is None else json.dumps(body).encode()
        return request(method, self.base + path, data, {"Content-Type": "application/json"} | (headers or {}))

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """A request with the tenant's key."""
        return self.send(method, path, body, {"X-API-Key": self.key})

    def call(self, method: str, path: str, body: object = None) -> Any:
        """A request that must succeed; its JSON."""
        answer = self.ask(method, path, body)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text[:200]}")
        return answer.json()

    def template(self, name: str, text: str) -> None:
        """A template that Meta has approved."""
        body = {"token": self.token, "name": name, "category": "UTILITY", "body": text}
        self.call("POST", "/api/whatsapp-meta/create_template", body)

        def approved() -> bool:
            known = self.call("GET", f"/api/whatsapp-meta/get_templates?token={self.token}")["templates"]
            return any(t["name"] == name and t["status"] == "APPROVED" for t in known)

        wait_for(f"the template {name}", 30, approved)

    def draft(self, name: str, **more: object) -> int:
        """A drafted campaign."""
        body = {"token": self.token, "name": name, "channel": "whatsapp", "message_type": "template"}
        return int(self.call("POST", "/api/campaigns/draft", body | more)["campaign_id"])

    def campaign(self, number: int) -> Any:
        """A campaign with its counts."""
        return self.call("GET", f"/api/campaigns/{number}")["campaign"]
