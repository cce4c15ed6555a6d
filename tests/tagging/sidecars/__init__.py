"""Sidecars as photo programs write them, and unusual ones: material for the tests of tagging."""

from tests.tagging.sidecars.material import Sidecar
from tests.tagging.sidecars.programs import PROGRAMS
from tests.tagging.sidecars.variants import VARIANTS

SIDECARS = (*PROGRAMS, *VARIANTS)

__all__ = ["PROGRAMS", "SIDECARS", "VARIANTS", "Sidecar"]
