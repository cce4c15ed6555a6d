"""Write the stages of every published network, counted from its Keras model.

    python scripts/make_descriptions.py

``mnv2 models show`` reads them, so that it need not import TensorFlow. Run this after a change to
a network or to :mod:`mnv2cli.models.describe`; it takes about a minute.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

from mnv2cli.models import all_models
from mnv2cli.models.describe import describe

TARGET = Path(__file__).resolve().parents[1] / "mnv2cli" / "models" / "data" / "stages.json"


def main() -> None:
    """Write the file, one line for each stage."""
    entries = []
    for model in all_models():
        description = describe(model.build_untrained())
        stages = ",\n".join(f"   {json.dumps(astuple(stage))}" for stage in description.stages)
        entries.append(
            f' {json.dumps(model.model)}: {{\n  "statistics": {description.statistics},\n'
            f'  "stages": [\n{stages}\n  ]\n }}'
        )
    TARGET.write_text("{\n" + ",\n".join(entries) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
