"""The user's choice of how to resume or share a run."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.runs.shards import Shard


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run resumes an earlier run, or shares its work.

    Attributes:
        resume: Keep the rows in the results file, and add the missing ones.
        retry_errors: With ``resume``, classify images with an error row again.
        shard: Classify only this shard of the images; None for all.
    """

    resume: bool = False
    retry_errors: bool = False
    shard: Shard | None = None
