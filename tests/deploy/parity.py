"""The same requests to the deployed API and to the local process: the answers must be the same, byte for byte, once
ids, times, keys and the address are taken out."""

import re

from checks import Checks
from net import Answer, request
from samples import SAMPLES, Sample
from tenant import Tenant

# A number of its own: each side's simulator registers it on first use.
NUMBER, WABA = "106540352242999", "102290129340999"

# What differs from run to run, and what stands for it.
VARIABLE = [
    (r'"upload_url":"[^"]+"', '"upload_url":"SIGNED"'),
    (r"sk_live_[A-Za-z0-9_-]+", "KEY"),
    (r"wamid\.[A-Za-z0-9+/=]+", "WAMID"),
    (r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", "TIME"),
    (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ULID"),
    (r"\b[0-9a-hjkmnp-tv-z]{26}\b", "ulid"),
    (r"\b[0-9a-z]{32}\b", "HEX"),
    (r"\b[0-9a-f]{16}\b", "HEX"),
    (r"\b\d{15,17}\b", "DIGITS"),
]


def parity(checks: Checks, deployed: Tenant, local: Tenant) -> None:
    """Sends every sample to both."""
    for tenant in (deployed, local):
        tenant.connect(NUMBER, WABA)
        tenant.template("parity", "Ciao {{1}}, ecco un avviso per te!")
    for sample in SAMPLES:
        there, here = (neutral(tenant, ask(tenant, sample)) for tenant in (deployed, local))
        if there != here:
            checks.check(f"the same: {sample.title}", False, f"\n      deployed {there}\n      local    {here}")
        else:
            checks.equal(f"the same: {sample.title}", there[0], sample.status)


def ask(tenant: Tenant, sample: Sample) -> Answer:
    """One sample, with the tenant's own values."""

    def fill(text: str) -> str:
        return text.replace("{token}", tenant.token).replace("{apikey}", tenant.key)

    body = None if sample.body is None else fill(sample.body).encode()
    headers = {name: fill(value) for name, value in sample.headers.items()}
    return request(sample.method, tenant.base + fill(sample.path), body, headers)


def neutral(tenant: Tenant, answer: Answer) -> tuple[int, str | None, str]:
    """Status, type and body without what belongs to one run."""
    text = answer.text.replace(tenant.token, "TOKEN").replace(tenant.key, "KEY").replace(tenant.base, "BASE")
    for pattern, name in VARIABLE:
        text = re.sub(pattern, name, text)
    return answer.status, answer.headers.get("content-type"), text
