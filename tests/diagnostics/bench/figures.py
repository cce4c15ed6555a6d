"""Results of a benchmark."""

from __future__ import annotations

from mnv2cli.diagnostics.bench.results import Result

FIGURES = {
    "tutorial": Result("tutorial", 10.0, 20.0, 700.0, 100),
    "batched": Result("batched", 50.0, 12.0, 1200.0, 300),
    "decode": Result("decode", 600.0, 1.0, 50.0, 300),
    "infer litert float32": Result("infer litert float32", 200.0, 2.0, 140.0, 300),
    "mnv2 litert float32": Result("mnv2 litert float32", 147.0, 3.0, 130.0, 300),
    "mnv2 litert int8": Result("mnv2 litert int8", 294.0, 2.0, 100.0, 300),
}
