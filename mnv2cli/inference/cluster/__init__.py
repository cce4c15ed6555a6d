"""The same run on a Ray cluster: Ray Data takes the images to its workers and the rows back.

This machine finds the images and writes the rows, as in any other run. Their names travel in Arrow
blocks; each worker is an actor with one network that reads, decodes and predicts a batch at a time
on one core.
"""
