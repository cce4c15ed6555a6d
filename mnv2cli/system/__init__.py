"""This machine: complete files, folders, hardware, installed packages, messages, URLs."""
