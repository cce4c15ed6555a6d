"""Images in stores, on web servers and in archives: found and fetched; results sent to stores.

Each kind of file system is a module, which the registry in ``sources/filesystem.py`` names. All of
them go through fsspec, which is imported at the first URL. Two are read in ways of our own: web
servers, for limits of time and size that hold, and archives, of which there is one handle with a
lock. Nothing is ever extracted, and nothing but temporary files is written.
"""
