"""What was found to hold, and what was not."""

import contextlib
import time
import traceback
from collections.abc import Iterator


class Checks:
    """Prints each check as it is made, and counts."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, what: str, holds: bool, seen: object = "") -> bool:
        """One statement about the product; `seen` is shown when it does not hold."""
        self.passed += holds
        self.failed += not holds
        print(f"ok    {what}" if holds else f"FAIL  {what}: {seen}", flush=True)
        return holds

    def equal(self, what: str, seen: object, want: object) -> bool:
        """Two values that must be the same."""
        return self.check(what, seen == want, f"{seen!r}, not {want!r}")

    @contextlib.contextmanager
    def part(self, title: str) -> Iterator[None]:
        """A part of the run; what breaks inside is a failure, and the next part goes on."""
        print(f"\n{title}", flush=True)
        start = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failed check
            self.check(title, False, f"{type(error).__name__}: {error}")
            traceback.print_exc(limit=-3)
        print(f"      {time.monotonic() - start:.1f} s", flush=True)

    def summary(self) -> str:
        """The last line."""
        return f"{self.passed} passed, {self.failed} failed"
