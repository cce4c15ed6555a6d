"""What runs changed in a folder, so that they can be finished and undone.

``folder`` is the own folder ``.mnv2`` beside the files of a run, with its lock, and ``tree`` keeps
runs out of folders above and below it. ``file`` writes journals, ``lines`` reads them, and
``opening`` opens that of an interrupted run or a new one. ``running`` and ``run_state`` have what
every run that changes files shares. Sorting describes its actions in a journal itself;
``tag_journal`` is the journal of tag runs, because sorts read it too: ``history`` has what tags
changed in a file, ``moves`` where sorts moved it, and ``unfinished`` which moves of a sort were
interrupted. ``last_run`` decides which run an undo is of, ``renamed`` copes with a folder that has
another name since, and ``removal`` removes what an undone run leaves.
"""
