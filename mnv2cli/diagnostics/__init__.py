"""Examine this machine: ``doctor/`` checks that it works, ``bench/`` measures its speed."""
