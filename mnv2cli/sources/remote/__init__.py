"""Find and fetch images in stores, on web servers and in archives; send results to stores.

Each kind of file system is a module, registered in ``sources/filesystem.py``. All use fsspec, which
is imported at the first URL. Two kinds have their own readers: web servers, to enforce limits on
time and size, and archives, which share one handle with a lock. Nothing is ever extracted; only
temporary files are written.
"""
