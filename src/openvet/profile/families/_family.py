"""The contract of a family.

A family is one module in this folder with two names::

    FAMILY = Family(model_types=("llama", ...))
    def draw(config: Config) -> Blueprint: ...

``draw`` gives every tensor that the published class makes of a configuration, with the name that published checkpoints use, and what
a sequence costs. It raises :class:`~openvet.errors.MalformedError` with the place of the fault, for a configuration that no such model
can have, :class:`~openvet.errors.UnsupportedError` for a part of a family that is not known, and nothing else. The docstring names the
classes that it follows.
"""

from __future__ import annotations

from openvet.core.dataclass import dataclass

__all__ = ["Family"]


@dataclass(frozen=True, slots=True)
class Family:
    """What a family is, as data.

    Attributes:
        model_types: values of ``model_type`` in ``config.json``, or of ``_class_name`` where there is none (diffusers).
    """

    model_types: tuple[str, ...]
