"""``mnv2`` with a fake network, as a separate process: ``python -m tests.watching.child ...``."""

from __future__ import annotations

from mnv2cli.cli import run
from mnv2cli.inference import classifier
from tests.conftest import FakeEngine

if __name__ == "__main__":
    classifier.open_engine = lambda *args, **kwargs: FakeEngine()  # type: ignore[assignment,return-value]
    classifier.available = lambda model, **kwargs: model  # type: ignore[assignment]
    run()
