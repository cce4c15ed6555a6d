"""Run one case in this process and print its timing as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from mnv2cli.diagnostics.bench.cases import case_named
from mnv2cli.diagnostics.bench.workload import Workload
from mnv2cli.errors import Mnv2Error


def main(name: str, workload: str) -> None:
    """Run a case, given by its name, on a workload, given as JSON."""
    run = case_named(name).run
    if run is None:
        sys.exit(f"Error: the case {name!r} has no function to run")
    try:
        timing = run(Workload.from_json(workload))
    except Mnv2Error as error:
        sys.exit(f"Error: {error.message}")
    sys.stdout.write(json.dumps(asdict(timing)))


if __name__ == "__main__":
    main(*sys.argv[1:])
