"""What runs changed in a folder, so that they can be finished and undone.

``folder`` is the own folder ``.mnv2`` beside the files of a run, with its lock; ``file`` writes
journals into it and ``lines`` reads them; ``running`` has what every run that changes files shares.
Sorting and tagging each describe their own actions in a journal, and undo them.
"""
