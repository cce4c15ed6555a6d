"""Formats that need more than a decoder of Pillow as it is: a module each.

Each has ``open_image(file)``, which reads the header of a file that begins as the format does, and
returns a Pillow image that decodes its pixels when loaded. Pixel data is not touched before that,
so the limit of pixels can be checked in between. Errors of a damaged file are any exception.
"""
