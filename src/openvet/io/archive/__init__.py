"""Archives and compressed streams as trees of sources.

Both views of a zip (the directory at its end, and the local records that a streaming reader meets), tar in all its
dialects, and single compressed streams. Names of members are data: nothing is ever opened or written under one.
What is not read to its end is a problem in the listing, what contradicts itself an anomaly; neither hides the rest.
"""
