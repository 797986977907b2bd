"""What runs models: one module for each runtime, in a confined child that stays (:mod:`openvet.sandbox.session`), and the parent's side that asks it.

``_engine`` is the contract of the child's side, ``serving`` is its loop, and ``model`` opens a model and asks. Only the modules of runtimes name a framework,
and only the child imports them.
"""
