"""Check that everything a run needs works on this machine.

To add a check, add a function to the module of its subject and a line to
:func:`mnv2cli.diagnostics.doctor.examine.examine`, which runs all checks in order.
"""
