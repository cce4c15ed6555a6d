"""``mnv2 config``, and how values of config files reach the options of commands."""
