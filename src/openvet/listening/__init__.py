"""What every server of ours stands on: a socket, a connection that cannot be held open for nothing, and names by which it may be called.

Needs the libraries of the extra ``openvet[server]``. What is answered is the business of the rooms above.
"""
