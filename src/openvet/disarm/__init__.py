"""disarm: rewrites a checkpoint to safetensors without executing anything of it.

The pickle machine says what a loader would build; what of that is provably data (a name, a storage, a dtype, a shape, a
stride) is copied element for element. Everything else is listed, and nothing is guessed or cast.
"""
