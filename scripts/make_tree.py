"""Make ``wordnet.csv``, the hypernyms of the 1,000 classes, from WordNet 3.0.

    python scripts/make_tree.py /usr/share/wordnet/data.noun > mnv2cli/labels/data/wordnet.csv

The id of a class is ``n`` and the offset of its entry in WordNet's ``data.noun`` (Debian package
``wordnet-base``). The fields of a line in that file are: offset, file number, type, number of words
in hexadecimal, each word with a number, number of pointers, each pointer as symbol, offset, part of
speech and two numbers. ``@`` points to a hypernym, ``@i`` to the class of an instance. Source:
wndb(5WN).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

DATA = Path(__file__).parents[1] / "mnv2cli" / "labels" / "data"


def entry(line: str) -> tuple[str, str, list[str]]:
    """Return id, first word and hypernyms of a line of ``data.noun``."""
    fields = line.split("|", maxsplit=1)[0].split()
    words = int(fields[3], 16)
    name = fields[4].replace("_", " ")
    pointers = fields[4 + 2 * words + 1 :]
    parents = [
        f"n{pointers[i + 1]}" for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")
    ]
    return f"n{fields[0]}", name, parents


def main(path: str) -> None:
    """Write the classes and their direct and indirect hypernyms, in the order of their ids."""
    nodes = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith(" "):  # the licence
                wnid, name, parents = entry(line)
                nodes[wnid] = (name, parents)
    classes = (DATA / "imagenet_classes.csv").read_text(encoding="utf-8")
    wanted = [row["wnid"] for row in csv.DictReader(classes.splitlines())]
    kept = set()
    while wanted:
        wnid = wanted.pop()
        if wnid not in kept:
            kept.add(wnid)
            wanted.extend(nodes[wnid][1])
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["wnid", "name", "parents"])
    for wnid in sorted(kept):
        name, parents = nodes[wnid]
        out.writerow([wnid, name, " ".join(parents)])


if __name__ == "__main__":
    main(sys.argv[1])
