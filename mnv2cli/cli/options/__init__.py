"""Options that commands share, as decorators.

Each decorator passes its options to the command function as one object: ``@input_options`` as
``inputs``, ``@label_options`` as ``labels``, ``@image_options`` as ``images``, ``@model_options``
as ``model``, ``@speed_options`` as ``engine``, ``@cluster_options`` as ``cluster`` and
``@terminal_options`` as ``terminal``. ``@as_classifier_options``, below all of them, combines those
of a classifier into ``options``.
"""
