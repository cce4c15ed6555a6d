"""This machine: complete files, folders, tar files, hardware, packages, messages, URLs."""
