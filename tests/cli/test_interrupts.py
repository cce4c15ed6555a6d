"""Ctrl-C waits for the end of a block that must not be interrupted."""

from __future__ import annotations

import os
import signal

import pytest

from mnv2cli.cli.terminal.interrupts import Interrupts

pytestmark = pytest.mark.usefixtures("default_signals")


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_a_deferred_block_ends_it_after_its_last_line() -> None:
    interrupts, done = Interrupts(), []
    with pytest.raises(KeyboardInterrupt), interrupts.handling():
        with interrupts.deferred():
            ctrl_c()
            done.append("whole")
        done.append("never")
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_ends_a_deferred_block_at_once() -> None:
    interrupts, done = Interrupts(), []
    with pytest.raises(KeyboardInterrupt), interrupts.handling(), interrupts.deferred():
        ctrl_c()
        done.append("whole")
        ctrl_c()
        done.append("never")
    assert done == ["whole"]


def test_ctrl_c_outside_a_deferred_block_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts().handling():
        ctrl_c()
        pytest.fail("not reached")


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts().handling():
            ctrl_c()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
