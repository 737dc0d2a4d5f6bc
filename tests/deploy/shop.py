"""A catalog that is read by the worker, and an order that comes in and goes on."""

from checks import Checks
from net import wait_for
from processes import Simulator
from tenant import WABA_ID, Tenant

CATALOG = "700700700700700"
CUSTOMER = "393331110001"
PATIENCE_S = 60


def shop(checks: Checks, tenant: Tenant, simulator: Simulator) -> None:
    """Sync, order, status."""
    simulator.ask("POST", "catalogs", {"id": CATALOG, "name": "Shop", "waba_id": WABA_ID, "generate": 300})
    listed = tenant.call("GET", "/api/catalogs")["catalogs"]
    checks.equal("the connected catalog is listed", [one["id"] for one in listed], [CATALOG])
    tenant.call("POST", f"/api/catalogs/{CATALOG}/sync", {})
    wait_for("the sync", PATIENCE_S, lambda: state(tenant) in ("finished", "failed"))
    sync = tenant.call("GET", "/api/catalogs")["catalogs"][0]["sync"]
    checks.equal("its products are read", (sync["state"], sync["created"]), ("finished", 300))
    items = [{"product_retailer_id": "sku-00001", "quantity": 2}]
    simulator.ask("POST", "orders", {"from": CUSTOMER, "catalog_id": CATALOG, "items": items})
    orders = wait_for("the order", PATIENCE_S, lambda: tenant.call("GET", "/api/orders")["orders"])
    checks.equal("an order comes in with its total", [(one["total"], one["currency"]) for one in orders], [(402, "EUR")])
    path = f"/api/orders/{orders[0]['id']}"
    changed = tenant.call("POST", path, {"status": "shipped", "notify": True})
    checks.equal("the customer is told that it is on its way", changed["notification"]["status"], "sent")
    checks.equal("an order does not go back", tenant.ask("POST", path, {"status": "processing"}).status, 409)


def state(tenant: Tenant) -> str:
    """How far the catalog is read."""
    return str(tenant.call("GET", "/api/catalogs")["catalogs"][0]["sync"]["state"])
