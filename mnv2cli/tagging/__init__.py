"""Records -> keywords -> sidecars and photos, with a journal and undo.

``options`` and ``lists`` describe the user's choices. ``keywords`` makes the ``tags`` of a photo,
``sidecars`` finds where they go, ``tagged`` what earlier runs wrote, ``known`` what people did.
``plan`` collects the ``actions``, and ``plan_file`` stores them as CSV. ``apply`` carries out a
plan as ``jobs``, one for each file: ``prepare`` makes the new contents (``start`` those of new
sidecars, ``xmp`` edits packets, ``embedding`` photos by ``exiftool``) and keeps the ``originals``,
``writing`` replaces the files. ``recover`` finishes an interrupted ``run``, ``find_run`` and
``undo`` undo one, with the ``places`` where sorts moved files. ``api`` is the same for Python.
"""
