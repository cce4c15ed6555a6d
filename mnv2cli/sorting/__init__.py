"""Records -> a plan -> moves, with a journal and undo.

``options`` describe the user's choices. ``photos``, ``placement``, ``folders``, ``dates``,
``companions`` and ``naming`` decide where each photo goes, and ``reviewed`` follows corrections.
``plan`` collects the ``actions``, and ``plan_file`` stores them as CSV. ``apply`` applies a plan,
``recover`` finishes an interrupted run, and ``undo`` undoes a run: each is a ``run`` in a
``destination``, announced in a ``journal`` first. ``transfer`` and ``links`` change the files.
"""
