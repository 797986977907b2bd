"""A model served to OpenAI's clients: the door of ``openvet run``.

There are two sides, and a wall between them. Beyond it nothing knows of HTTP: ``asked`` says what can be asked and what is answered, ``desk`` asks the
model within limits, ``keeper`` keeps the model's process and the line of those who wait. On this side ``parsing``, ``multipart`` and ``audio`` read what
strangers send, ``answers`` writes what they get, and ``app`` joins both. Whatever judges prompts and answers stands in the wall: it takes
a :class:`openvet.gateway.asked.Desk` and is one.
"""
