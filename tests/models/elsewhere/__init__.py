"""Tests of models made elsewhere."""
