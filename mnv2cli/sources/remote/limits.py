"""Limits of size and time for everything that is not on this machine."""

from __future__ import annotations

SPOOL = 2 << 20
"""Bytes of a file that are held in memory; larger ones are in a temporary file."""

FILE_LIMIT = 1 << 30
"""Bytes of an image file; what is larger is an error."""

ARCHIVE_LIMIT = 64 << 30
"""Bytes of an archive in a temporary file; half of the room there is a limit as well."""

PAGE_LIMIT = 64 << 20
"""Bytes of a web server's page that lists a folder."""

ATTEMPTS = 5
"""How often a passing fault is met before it is final."""

FIRST_WAIT = 0.5
"""Seconds before the second attempt, give or take a half; then twice as long each time."""

LONGEST_WAIT = 10.0
"""Seconds between two attempts at the most, also where the host asks for more."""

TOTAL_SECONDS = 120.0
"""No further attempt begins after this time."""

REQUEST_SECONDS = 30.0
"""A request may take so long, and longer only as far as bytes come at the least rate."""

LEAST_RATE = 128_000
"""Bytes a second."""

LIST_SECONDS = 600.0
"""Listing a folder may take so long: a store lists a thousand files at a time."""

CHUNK = 4 << 20
"""Bytes of a file that are asked for at a time."""
