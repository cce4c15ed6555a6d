"""Config files: where they are, and what they contain; the command line gives them a meaning."""

from __future__ import annotations

from mnv2cli.config.read import Config, ConfigFile, Setting, read_config

__all__ = ["Config", "ConfigFile", "Setting", "read_config"]
