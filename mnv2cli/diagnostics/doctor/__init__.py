"""Check that everything a run needs works on this machine; ``examine`` runs all checks in order.

A check is a function in the module of its concern and a line in
:func:`mnv2cli.diagnostics.doctor.examine.examine`.
"""
