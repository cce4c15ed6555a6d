"""Signals that arrive in a block that would lose them."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from mnv2cli.cli.terminal.interrupts import Terminated, raise_interrupt
from mnv2cli.system.signals import deferred_signals

pytestmark = pytest.mark.usefixtures("default_signals")


def test_a_signal_that_the_block_would_lose_is_raised_at_its_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), deferred_signals():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            done.append("whole")
            raise ImportError("lost")
        finally:
            assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_goes_to_its_own_handler() -> None:
    before = signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        with pytest.raises(Terminated), deferred_signals():
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is raise_interrupt
    finally:
        signal.signal(signal.SIGTERM, before)


def test_ignored_signals_and_other_threads_are_left_alone() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    found = []

    def look() -> None:
        with deferred_signals():
            found.append(signal.getsignal(signal.SIGTERM))

    try:
        with deferred_signals():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]
