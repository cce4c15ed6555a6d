"""Try again after temporary errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import uniform
from typing import TypeVar

from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.errors import StoreError, store_error

T = TypeVar("T")


def with_retries(work: Callable[[], T], stop: threading.Event | None = None) -> T:
    """Call ``work``, again after temporary errors, and return its result; raises StoreError."""
    import tenacity

    stop = stop or threading.Event()

    def attempt() -> T:
        try:
            return work()
        except Exception as error:
            raise store_error(error) from error

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, StoreError) else 0.0
        # Random, or all threads would come back at the same moment.
        backoff = limits.FIRST_WAIT * float(1 << (state.attempt_number - 1)) * uniform(0.5, 1.5)
        return min(max(backoff, asked), limits.LONGEST_WAIT)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, StoreError) and e.passing),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(limits.ATTEMPTS),
            tenacity.stop_after_delay(limits.TOTAL_SECONDS),
            tenacity.stop_when_event_set(stop),
        ),
        wait=wait,
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retrying(attempt)
