"""From a file to uint8 RGB of the network's input size, or the reason why it is unreadable.

A file passes through ``reader`` (which fetches it if it is remote), ``decode``, in this process or
an ``isolated`` one, ``opening`` (regular files only), ``signatures`` and ``formats`` (which select
the decoder), then ``exif``, ``colours`` and ``resize`` (which produce the network's input), with
``profiles``, ``code_points`` and ``colour_table`` for colours that are not sRGB. ``decoders`` are
those that Pillow lacks, and ``raw`` and ``raw_reader`` read raw photos. Large images take turns
within a memory ``budget``. ``unsupported`` and ``unreadable`` name the reasons why files are not
read. ``packets`` and ``heif_items`` read the keywords embedded in a file, not its pixels.
"""
