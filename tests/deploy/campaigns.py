"""The main job: contacts in, a campaign out, statuses back; and a campaign that the Scheduler starts."""

import collections
import contextlib
import csv
import datetime
import io
import zipfile
from collections.abc import Iterator
from typing import Any

from checks import Checks
from net import Answer, request, wait_for
from processes import Simulator
from stack import Stack
from tenant import Tenant

RECIPIENTS = 500
ON_TIME = 5
# The emulator looks at its schedules every ten seconds, EventBridge within the minute.
START_LATENESS = 75


def rows(count: int, tag: str, first: int) -> list[dict[str, Any]]:
    """Contacts to import."""
    return [{"name": f"Name {i}", "phone": f"+39333{first + i:07d}", "tags": [tag]} for i in range(count)]


def campaign(checks: Checks, tenant: Tenant, simulator: Simulator) -> None:
    """Import, draft, launch, delivery of everyone, report."""
    imported = tenant.call("POST", "/api/contacts/bulk", {"contacts": rows(RECIPIENTS, "all", 0)})
    checks.equal(f"{RECIPIENTS} contacts are imported", imported["created"], RECIPIENTS)
    tenant.template("avviso", "Ciao {{1}}, ecco un avviso per te!")
    number = tenant.draft(
        "Main job", template_name="avviso", template_params=["{{name}}"], recipient_type="tags", tags=["all"]
    )
    tenant.call("POST", "/api/campaigns/launch", {"campaign_id": number})
    seen = wait_until_delivered(tenant, number, RECIPIENTS, 180)
    checks.equal("statuses through the webhook make everyone delivered", seen["counts"]["delivered"], RECIPIENTS)
    checks.equal("the campaign is finished", seen["state"], "finished")

    rows_of = list(csv.DictReader(io.StringIO(report(tenant, number, "csv").text)))
    checks.equal("the report has a row for each", len({row["contact_id"] for row in rows_of}), RECIPIENTS)
    checks.check("each row says delivered", all(row["state"] == "delivered" for row in rows_of), rows_of[:3])
    checks.equal("a report that is current is there at once", follow(tenant, number, "csv").status, 302)
    with zipfile.ZipFile(io.BytesIO(report(tenant, number, "xlsx").body)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    checks.equal("the workbook has a row for each", sheet.count(b"<row "), RECIPIENTS + 1)

    stats = simulator.ask("GET", "stats")
    checks.equal("the simulator accepted each once", stats["accepted"], RECIPIENTS)
    checks.equal("it saw each recipient", stats["distinct_recipients"], RECIPIENTS)
    checks.equal("it saw nobody twice", (stats["duplicates"], stats["repeated"]), (0, 0))
    checks.equal("it refused nothing", stats["errors"], {})


def follow(tenant: Tenant, number: int, kind: str) -> Answer:
    """Where the report is, or that it is being made."""
    return tenant.ask("GET", f"/api/campaigns/{number}/report.{kind}")


def report(tenant: Tenant, number: int, kind: str) -> Answer:
    """The file of a report, once it is made."""

    def made() -> str | None:
        answer = follow(tenant, number, kind)
        if answer.status not in (202, 302):
            raise RuntimeError(f"report.{kind}: {answer.status} {answer.text[:200]}")
        return answer.headers["location"] if answer.status == 302 else None

    file = request("GET", wait_for(f"report.{kind}", 90, made))
    if file.status != 200:
        raise RuntimeError(f"report.{kind} of the bucket: {file.status} {file.text[:200]}")
    return file


def wait_until_delivered(tenant: Tenant, number: int, recipients: int, seconds: float) -> Any:
    """The campaign, once it is finished and everyone is delivered; or as it is when time is up."""

    def delivered() -> Any:
        seen = tenant.campaign(number)
        return seen if seen["state"] == "finished" and seen["counts"]["delivered"] >= recipients else None

    with contextlib.suppress(TimeoutError):
        return wait_for("delivery", seconds, delivered)
    return tenant.campaign(number)


def scheduled(checks: Checks, tenant: Tenant, simulator: Simulator, stack: Stack) -> None:
    """A campaign with a time of its own. The sweep rests, so that only its schedule can start it."""
    tenant.call("POST", "/api/contacts/bulk", {"contacts": rows(ON_TIME, "on time", 5_000_000)})
    group = stack.resource("CampaignSchedules")
    scheduler = stack.client("scheduler")

    def schedules() -> list[Any]:
        return [s for s in scheduler.list_schedules(GroupName=group)["Schedules"] if s["GroupName"] == group]

    accepted = simulator.ask("GET", "stats")["accepted"]
    with resting_sweep(stack):
        due = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=65)
        number = tenant.draft(
            "On time", template_name="avviso", template_params=["{{name}}"], recipient_type="tags", tags=["on time"],
            scheduled_at=due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        checks.equal("it waits for its time", tenant.campaign(number)["state"], "scheduled")
        checks.equal("it has one schedule", len(schedules()), 1)
        seen = wait_until_delivered(tenant, number, ON_TIME, 65 + START_LATENESS + 30)
    checks.equal("it went out", seen["counts"]["delivered"], ON_TIME)
    if not seen["started_at"]:
        return
    late = (datetime.datetime.fromisoformat(seen["started_at"].replace("Z", "+00:00")) - due).total_seconds()
    checks.check("it started at its time", 0 <= late <= START_LATENESS, f"{late} s late")
    checks.equal("the schedule is gone", len(schedules()), 0)
    checks.equal("it was sent once", simulator.ask("GET", "stats")["accepted"] - accepted, ON_TIME)
    newest = simulator.ask("GET", f"messages?limit={ON_TIME}")
    numbers = collections.Counter(str(message.get("to", message)) for message in newest["messages"])
    checks.equal("to each recipient once", sorted(numbers.values()), [1] * ON_TIME)


@contextlib.contextmanager
def resting_sweep(stack: Stack) -> Iterator[None]:
    """Without the minute's sweep, which would start what no schedule did."""
    name = stack.resource("ScheduleTickFunctionMinute").rsplit("|", 1)[-1]
    scheduler = stack.client("scheduler")
    known = scheduler.get_schedule(Name=name)
    keep = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    same = {field: known[field] for field in keep}
    scheduler.update_schedule(**same, State="DISABLED")
    try:
        yield
    finally:
        scheduler.update_schedule(**same, State="ENABLED")
