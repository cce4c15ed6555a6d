#!/usr/bin/env bash
# Recipes for the shell. Read them, copy them; or run all on a folder of photos:
#
#     bash examples/recipes.sh photos
#
# Every recipe works on one file of results, so that the photos are looked at once.
set -euo pipefail
photos=${1:-examples/photos}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mnv2 classify "$photos" --quiet -o "$work/labels.csv" --force || [ $? -eq 4 ]
mnv2 classify "$photos" --quiet -f jsonl > "$work/labels.jsonl" || [ $? -eq 4 ]

echo "== how often each label comes first (Python's csv reads any name rightly)"
python3 - "$work/labels.csv" << 'PY'
import collections, csv, sys
rows = csv.DictReader(open(sys.argv[1], newline="", errors="surrogateescape"))
for label, n in collections.Counter(r["label_1"] for r in rows if r["status"] == "ok").most_common(10):
    print(f"{n:6} {label}")
PY

echo "== photos surer than 90 %, with awk (for names without commas and quotes)"
awk -F, 'NR > 1 && $2 == "ok" && $5 > 0.9 {print $5, $3, $1}' "$work/labels.csv" | sort -rn

echo "== in three parts, as three machines would, joined again: the same file, byte for byte"
for i in 1 2 3; do
    mnv2 classify "$photos" --quiet --shard "$i/3" -o "$work/part$i.csv" --resume || [ $? -eq 4 ]
done
mnv2 merge "$work"/part?.csv --quiet -o "$work/joined.csv"
cmp "$work/joined.csv" "$work/labels.csv" && wc -l "$work"/part?.csv

if command -v jq > /dev/null; then
    echo "== photos of anything cat-like, with jq"
    jq -r 'select(any(.predictions[]; .label | test("cat$|tabby"))) | .path' "$work/labels.jsonl"

    echo "== what could not be read, and why"
    jq -r 'select(.status == "error") | "\(.path): \(.error)"' "$work/labels.jsonl"

    echo "== the sure ones handed to another command, NUL-separated for odd names"
    jq -j 'select(.predictions[0].score > 0.9) | .path + "\u0000"' "$work/labels.jsonl" |
        xargs -0 -r ls -l
fi
