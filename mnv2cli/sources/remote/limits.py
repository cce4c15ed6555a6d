"""Limits on the size and time of remote files."""

from __future__ import annotations

SPOOL = 2 << 20
"""Bytes of a file held in memory; a larger one goes to a temporary file."""

FILE_LIMIT = 1 << 30
"""Maximum bytes of an image file; a larger one is an error."""

ARCHIVE_LIMIT = 64 << 30
"""Maximum bytes of an archive in a temporary file, and at most half of the free space."""

PAGE_LIMIT = 64 << 20
"""Maximum bytes of a web page that lists a folder."""

ATTEMPTS = 5
"""Attempts before a temporary error becomes final."""

FIRST_WAIT = 0.5
"""Seconds before the second attempt, plus or minus half; doubled for each further attempt."""

LONGEST_WAIT = 10.0
"""Maximum seconds between two attempts, even if the host asks for more."""

TOTAL_SECONDS = 120.0
"""Seconds after which no further attempt starts."""

REQUEST_SECONDS = 30.0
"""Seconds for a request; it may take longer only while bytes arrive at ``LEAST_RATE``."""

LEAST_RATE = 128_000
"""Minimum bytes per second of a transfer."""

LIST_SECONDS = 600.0
"""Seconds for listing a folder: a store lists a thousand files at a time."""

CHUNK = 4 << 20
"""Bytes of a file requested at a time."""
