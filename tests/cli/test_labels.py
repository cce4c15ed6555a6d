"""``mnv2 labels`` prints classes, tree and categories."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from mnv2cli.labels.categories_file import builtin, load

Invoke = Callable[..., Result]


def test_labels_prints_classes_tree_and_categories(invoke: Invoke, tmp_path: Path) -> None:
    assert "wild animal" in invoke("labels").stdout
    rows = list(csv.DictReader(io.StringIO(invoke("labels", "--csv").stdout)))
    assert len(rows) == 1000 and rows[0] == {
        "wnid": "n01440764", "label": "tench", "category": "fish",
    }  # fmt: skip
    assert json.loads(invoke("labels", "--json").stdout) == rows
    (tmp_path / "mine.toml").write_text(invoke("labels", "--toml").stdout)
    assert load(str(tmp_path / "mine.toml")).of_class == builtin().of_class
    shown = invoke("labels", "--tree", "spaniel").stdout
    assert "Sussex spaniel  n02102480" in shown and "banjo" not in shown
    assert invoke("labels", "--tree").stdout.count("\n") > 1800
    mine = str(tmp_path / "mine.toml")
    for args, message in [
        (["--tree", "crane"], "is ambiguous"),
        (["--tree", "nothing"], "'nothing' is not in"),
        (["dog"], "NODE requires --tree, as in: mnv2 labels --tree dog"),
        (["--tree", "--categories", mine], "--categories cannot be combined with --tree"),
        (["--toml", "--categories", mine], "--categories cannot be combined with --toml"),
        (["--csv", "--json"], "choose one"),
    ]:
        result = invoke("labels", *args)
        assert result.exit_code == 2 and message in result.stderr
