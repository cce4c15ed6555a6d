"""Datasets: files and folders that training and labelling tools read, and how photos are split.

``formats.py`` defines what a format is and lists them; each format is one module here.
"""
