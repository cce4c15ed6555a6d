"""Find phrases that technical English avoids, and suggest replacements.

    python scripts/check_words.py [PATH]...

Reads the Python, Markdown, shell and TOML files that Git tracks or does not ignore; with PATH,
only those below it. The exit code is 1 if a phrase is found.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = {".py", ".md", ".sh", ".toml"}

BANNED = {
    r"\bgo(es|ne|ing)? on with\b": "resume, continue",
    r"\bto go on\b|\bgoes on\b|\bgoing on\b|\bgone on\b|\bgo on\b": "resume, continue",
    r"\b(is|are|be|was|were|been) told\b": "receives, is called with",
    r"\b(tells?|says?|telling|saying) (whether|if)\b": "return, check",
    r"(?<!there\s)(?<!that\s)\b(is|are) no (?!longer\b|more\b|match\b|such\b)": "is not",
    r"\b(say|says|said|tell|tells) how\b": "describe, set, choose",
    r"\b(of|on) (its|their|his|your|our) own\b(?! (accord|machine))": "separate, its own X",
    r"\bwhat is there\b": "the existing files, what exists",
    r"\b(is|are|was|were|be) there(?=(?:\s)?([.,:;)\"]|$))": "exists, is present",
    r"\bthat (is|are) there\b": "existing",
    r"\bleft out\b|\bleaves? out\b|\bleaving out\b": "skipped, omitted",
    r"\bgone wrong\b|\bgoes wrong\b|\bgo wrong\b": "failed",
    r"\bin hand\b": "current, in progress",
    r"\bonce more\b": "again",
    r"\bby half\b": "partly",
    r"\b(options?|rows?|--[a-z-]+) (is|are) about\b": "requires, applies to",
    r"\b(can(not| not)?|could(n't)?|to) be had\b|\bmay be had\b": "is available, can be loaded",
    r"\bfound out\b(?! (that|how))": "detected",
    r"\bmade good\b": "replaced, recovered",
    r"\bat (the|its|their) (most|least)\b(?! (recent|common|likely))": "at most, at least",
    r"\b(by|of) (itself|themselves)\b": "automatically, alone",
    r"\bfor it (is|has|may|can|was)\b": "because",
    r"\bmust be known\b": "is required",
    r"\bhow (many|much) there (is|are)\b": "the number of",
    r"\bas good as\b": "almost",
    r"\bwhere that is\b": "",
    r"\bno one's business\b": "of no interest to the user",
    r"\bnobody foresaw\b": "unexpected",
    r"\ball (else|that)\b": "everything else, everything that",
    r"\bbesides(?=[.,:;)\"]|$)": "also, in addition",
    r"\bas it (stands|is given)\b": "unchanged",
    r"\bwhat (it|they) (is|are) (made|had) (of|from)\b": "its source",
    r"\bwhat for\b": "purpose",
    r"\b(makes?|made) (sure|certain) of\b": "check",
    r"\b(so|as) it (comes|came)\b": "",
    r"\bthe ones? that (is|are) (there|meant)\b": "the existing one",
    r"\bthe (one|other) way round\b": "in reverse",
    r"\b(a|the) look at (it|them)\b": "inspect",
    r"\bis (had|got) (by|from)\b": "comes from",
    r"\bever so\b|\btill\b|\bwhereby\b|\btherein\b|\bthereof\b|\bhenceforth\b": "",
    r"\bdo without\b|\bdoes without\b": "does not need",
    r"\b(the )?same one again\b": "the same",
    r"\bnothing else than\b|\bother than those\b": "only",
    r"\b(much|little) the same\b": "similar",
    r"\bstands? (here|there|in|beside|next to|below|above)\b": "is, is listed",
    r"\bwhat (it|one|they) holds?\b": "its contents",
    r"\bexists? already\b|\bhas already(?=(?:\s)?([.,:;)\"]|$))": "already exists",
    r"\bat work (in|on|there)\b": "is using",
    r"\bfor (want|lack) of\b": "because ... is missing",
    r"\bsuch as by\b": "for example by",
    r"\bwhat is (measured|waited for|missing|shown|skipped)\b": "name the thing",
    r"\bbehind (its|the) (last|first|header|rows?|bar)\b": "after",
    r"\bwith other (content|options)\b": "with different",
    r"\ba (host|copy|cluster|model|file|part) of \w+'s\b": "Google's host",
    r"\b(not|does|do) (hold|holds) results\b": "is not a results file",
    r"\bin circles\b": "loop",
    r"\b(a|one) (row|page|file|worker|path) an? (row|page|task|core|line)\b": "per",
    r"\bcannot be told (from|apart)\b": "cannot be distinguished from",
    r"\ba passing (error|fault)s?\b|\bpassing (errors|faults)\b": "temporary errors",
    r"\bsigns? of life\b": "progress",
    r"\bare the limit\b": "more than the limit of",
}
"""Regular expressions, and what to write instead."""

_PATTERNS = [
    (
        re.compile(pattern.replace(" ", r"(?:[ \t]|\n[ \t#]*)+"), re.IGNORECASE | re.MULTILINE),
        better,
    )
    for pattern, better in BANNED.items()
]


def files(paths: list[str]) -> Iterator[Path]:
    """Yield the text files to check, in order; only those below ``paths``, if any."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in SUFFIXES and path.is_file() and path != Path(__file__).resolve():
            yield path


def find(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, words found and replacement for each banned phrase.

    Phrases are also found across line breaks, including those of comments.
    """
    for pattern, better in _PATTERNS:
        for match in pattern.finditer(text):
            words = " ".join(match[0].replace("#", " ").split())
            yield text.count("\n", 0, match.start()) + 1, words, better


def main(paths: list[str]) -> int:
    """Print the phrases found; return the exit code."""
    count = 0
    for path in files(paths):
        for number, found, better in sorted(find(path.read_text(encoding="utf-8"))):
            advice = f": write {better}" if better else ""
            print(f"{path.relative_to(ROOT)}:{number}: {found!r}{advice}")
            count += 1
    print(f"{count or 'No'} banned phrase{'s' * (count > 1)} found.")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
