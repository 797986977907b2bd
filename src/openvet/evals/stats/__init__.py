"""Statistics of evaluations: intervals, paired comparisons, power, several tests at once, looking early, and what may be concluded.

Pure Python over ``math``; each function names its source, and the tests hold it against published figures and simulation.
"""
