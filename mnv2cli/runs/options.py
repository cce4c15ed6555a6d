"""How a run continues an earlier one or shares its work, as the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.runs.shards import Shard


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run continues an earlier one or shares its work.

    Attributes:
        resume: Keep the rows that are in the results file, and add the missing ones.
        retry_errors: With ``resume``, do images again whose row is an error.
        shard: Do only this shard of the images; None for all.
    """

    resume: bool = False
    retry_errors: bool = False
    shard: Shard | None = None
