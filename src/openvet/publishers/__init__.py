"""Who publishes models, under which accounts and names: what is known, what resembles it, and what a hub's metadata say of a change."""
