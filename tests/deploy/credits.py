"""Contacts in lists, and an agency that grants credits to its sub-account."""

from checks import Checks
from tenant import Tenant

EMAIL = "bakery@example.com"


def lists(checks: Checks, tenant: Tenant) -> None:
    """A list that a contact joins, in the DM Champ dialect."""
    contact = tenant.call("POST", "/v1/contacts", {"firstName": "Jane", "phone": "+15551234567"})["id"]
    made = tenant.call("POST", "/v1/lists", {"name": "Customers"})["id"]
    joined = tenant.call("POST", f"/v1/lists/{made}/contacts", {"contactId": contact})
    checks.equal("a contact joins a list", joined["contactId"], contact)
    checks.equal("the list has it", tenant.call("GET", f"/v1/lists/{made}")["contactCount"], 1)


def credits(checks: Checks, agency: Tenant, admin_key: str) -> None:
    """A grant, once under its key, and the balance of who got it."""
    marked = agency.send("POST", f"/api/tenants/{agency.id}/agency", {}, {"X-Admin-Key": admin_key})
    checks.equal("a tenant becomes an agency", marked.status, 200)
    made = agency.call("POST", "/api/subaccounts", {"name": "Bakery", "email": EMAIL, "credits": 42})
    grant = {"email": EMAIL, "amount": 500, "idempotency_key": "recharge-1"}
    for _ in range(2):
        granted = agency.call("POST", "/v1/subaccounts/credits", grant)
        checks.equal("credits are granted once", granted["new_balance"], 542)
    again = agency.ask("POST", "/v1/subaccounts/credits", grant | {"amount": 501})
    checks.equal("another amount under the key is refused", again.status, 409)
    seen = agency.send("GET", "/api/credits", None, {"X-API-Key": made["apikey"]}).json()
    checks.equal("the sub-account has them", seen["credits"]["balance"], 542)
