"""Networks and their weights: families, their published models, and how to get the weights."""

from mnv2cli.models.options import ModelOptions
from mnv2cli.models.protocol import Family, Model
from mnv2cli.models.registry import (
    DEFAULT_MODEL,
    MODELS,
    all_models,
    available,
    open_model,
    register,
)

__all__ = [
    "DEFAULT_MODEL", "MODELS", "Family", "Model", "ModelOptions", "all_models", "available",
    "open_model", "register",
]  # fmt: skip
