"""Run the same job on a Ray cluster: Ray Data sends image paths to workers and returns their rows.

As in any other run, this machine finds the images and writes the rows. Paths travel in Arrow
blocks. Each worker is an actor on one core that loads the network once, then reads, decodes and
predicts a batch at a time.
"""
