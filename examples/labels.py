"""Use mnv2cli from Python: print the best label of every photo, the surest first.

python examples/labels.py examples/photos
"""

from __future__ import annotations

import sys

from mnv2cli import Classifier


def main(folders: list[str]) -> None:
    """Classify some folders with one loaded network."""
    classifier = Classifier(top=1)
    records = list(classifier.classify(*folders))
    for record in sorted(records, key=lambda r: [-p.score for p in r.predictions]):
        for prediction in record.predictions:
            print(f"{prediction.score:6.1%}  {prediction.label:20}  {record.path}")  # noqa: T201
    for record in records:
        if record.error:
            print(f"        {record.error}: {record.path}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:] or ["examples/photos"])
