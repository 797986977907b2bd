"""What makes a model of another one: one module for each kind of step, run in a confined child, and registered by lying here.

``_transform`` is the contract, ``_making`` the child's side. Only a module's ``make`` imports a framework, and only in the child.
"""
