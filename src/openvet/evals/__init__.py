"""Evaluation: tasks and samples in, outputs of a model scored, metrics with error bars out, every sample committed.

The words are Inspect's: a *task* is samples and how they are asked and scored; a *sample* is one question; a *scorer* makes a score of an output;
a *metric* is what the scores say together. ``backends`` alone knows how a model is asked.
"""
