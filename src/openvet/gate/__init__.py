"""The gate: who asks for what, what is known about it, and the answer. Composes the store and the workflows; knows no HTTP towards clients."""
