#!/usr/bin/env bash
# Recipes for the shell. Read them, copy them, or run them all on a folder of photos:
#
#     bash examples/recipes.sh photos
#
# Every recipe reads results, so the photos are classified only once.
set -euo pipefail
photos=${1:-examples/photos}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Exit code 4: done, but some images could not be read; their rows have the reason.
mnv2 classify "$photos" --quiet --category -o "$work/labels.csv" || [ $? -eq 4 ]
mnv2 classify "$photos" --quiet --category -o "$work/labels.jsonl" || [ $? -eq 4 ]

echo "== How often each class comes first (Python's csv module reads any file name)"
# Classes are counted by WordNet id, because two are called maillot and two crane.
python3 - "$work/labels.csv" << 'PY'
import collections, csv, sys
with open(sys.argv[1], newline="", errors="surrogateescape") as file:
    rows = [row for row in csv.DictReader(file) if row["status"] == "ok"]
counts = collections.Counter((row["wnid_1"], row["label_1"]) for row in rows)
for (wnid, label), count in counts.most_common(10):
    print(f"{count:6} {wnid} {label}")
PY

echo "== Photos with a score above 0.9, with awk (for names without commas and quotes)"
awk -F, 'NR > 1 && $2 == "ok" && $5 > 0.9 {print $5, $3, $1}' "$work/labels.csv" | sort -rn

echo "== Three shards, as three machines would make them, merged: the same file, byte for byte"
for i in 1 2 3; do
    mnv2 classify "$photos" --quiet --category --shard "$i/3" -o "$work/part$i.csv" --resume ||
        [ $? -eq 4 ]
done
mnv2 merge "$work"/part?.csv --quiet -o "$work/merged.csv"
cmp "$work/merged.csv" "$work/labels.csv" && wc -l "$work"/part?.csv

echo "== The keywords that mnv2 tag would write into sidecars (without --dry-run it writes them)"
mnv2 tag --from "$work/labels.csv" --dry-run || [ $? -eq 4 ]

echo "== Only photos that are newer than the results (find does not know which files are images)"
find "$photos" -newer "$work/labels.csv" -type f \
    \( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' -o -iname '*.heic' \) -print0 |
    mnv2 classify --quiet --null --files-from - -o "$work/new.csv" ||
    [ $? -eq 3 ] # no images found

if command -v jq > /dev/null; then
    echo "== Copies of all cats, of any breed; NUL keeps odd names safe"
    mkdir "$work/cats"
    jq -j 'select(.category == "cat") | .path + "\u0000"' "$work/labels.jsonl" |
        xargs -0 -r cp -t "$work/cats"
    ls "$work/cats"

    echo "== Photos that need a look (an unreadable image has no score, which is less than any)"
    jq -r 'select(.status == "ok" and .predictions[0].score < 0.5) | .path' "$work/labels.jsonl"

    echo "== What could not be read, and why"
    jq -r 'select(.status == "error") | "\(.path): \(.error)"' "$work/labels.jsonl"
fi
