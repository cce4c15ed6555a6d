"""A query is interrupted by signals, and fails in plain words."""

from __future__ import annotations

import os
import signal
from threading import Timer

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.schema import Layout
from mnv2cli.selecting.sql import Query

ENDLESS = "with recursive c(n) as (select 1 union all select n from c) select max(n) from c"


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("sql", [ENDLESS, f"select 1 union all select * from ({ENDLESS})"])
def test_ctrl_c_stops_a_query_without_an_end(sql: str) -> None:
    timer = Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(Query([], Layout("csv", 1), sql).rows())
    timer.join()


def test_more_columns_than_a_table_can_have_are_an_error() -> None:
    record = Record("a.jpg", (Prediction("n1", "cat", 0.5),))
    with pytest.raises(InputError, match="cannot make the table results: too many columns"):
        Query([record], Layout("csv", 40_000), "select path from results")
