"""Records -> a plan -> moves, with a journal and undo.

``options`` say how. ``photos``, ``placement``, ``folders``, ``dates``, ``companions`` and
``naming`` decide where each photo goes; ``plan`` collects that as ``actions``, and ``plan_file``
keeps it as CSV. ``apply`` carries a plan out, ``recover`` finishes an interrupted run, and ``undo``
takes one back: each is a ``run`` in a ``destination``, written into a ``journal`` first.
``transfer`` and ``links`` touch the files.
"""
