"""A one-time code that is sent and checked, what a number is, and what was used."""

from typing import Any

from checks import Checks
from net import wait_for
from processes import Simulator
from tenant import Tenant

USER = "393331110002"
PATIENCE_S = 30


def codes(checks: Checks, tenant: Tenant, simulator: Simulator) -> None:
    """Send, a wrong code, the right one, and that it is used up."""
    body = {"token": tenant.token, "name": "codice", "category": "AUTHENTICATION"}
    tenant.call("POST", "/api/whatsapp-meta/create_template", body)
    sent = wait_for("the template", PATIENCE_S, lambda: accepted(tenant))
    checks.equal("a code is on its way", (sent["to"], sent["channel"]), (f"+{USER}", "whatsapp"))
    template = simulator.ask("GET", f"messages?to={USER}&limit=1")["messages"][0]["body"]["template"]
    code = template["components"][0]["parameters"][0]["text"]
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    checks.equal("a wrong code is not valid", check(tenant, wrong).json()["data"]["valid"], False)
    checks.equal("the right one is", check(tenant, code).json()["data"]["valid"], True)
    checks.equal("it is used up", check(tenant, code).status, 404)
    phone = bearer(tenant, "POST", "/v1/phone/validate", {"phone": f"+{USER}"}).json()["data"]
    checks.equal("the number is a mobile one", (phone["type"], phone["country"]), ("mobile", "IT"))
    usage = bearer(tenant, "GET", "/v1/account/usage", None).json()["data"]["usage"]
    checks.check("the code counts as a message", usage["messages"]["used"] > 0, usage)


def accepted(tenant: Tenant) -> Any:
    """The code that was sent, once there is a template for it."""
    answer = bearer(tenant, "POST", "/v1/verify/send", {"to": f"+{USER}"})
    return answer.json()["data"] if answer.status == 200 else None


def check(tenant: Tenant, code: str) -> Any:
    """Whether a code is right."""
    return bearer(tenant, "POST", "/v1/verify/check", {"to": f"+{USER}", "code": code})


def bearer(tenant: Tenant, method: str, path: str, body: object) -> Any:
    """A request of the SendAPI dialect."""
    return tenant.send(method, path, body, {"Authorization": f"Bearer {tenant.key}"})
