"""Policy packs that ship with the tool: data only. Each folder has ``pack.yaml``, ``pack.md`` and ``cases/``; ``questions.yaml`` is shared."""
