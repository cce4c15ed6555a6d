"""A file -> uint8 RGB of the network's size, or the reason why not.

The way of a file: ``reader`` (fetched if it must be) -> ``decode``, here or in an ``isolated``
process -> ``opening`` (regular files alone) -> ``signatures`` and ``formats`` (which decoder) ->
``exif``, ``colours`` and ``resize`` (the network's input). ``unreadable`` has the reasons.
"""
