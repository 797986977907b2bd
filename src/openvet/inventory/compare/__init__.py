"""What differs between two inventories: files, documents, texts, programs, tokenizers and tensors.

Nothing here opens a subject's file: who compares hands in texts and streams of numbers. Numbers are compared with NumPy, which is
imported when the first tensor needs it and may be missing (``openvet[numbers]``); whatever is exact without it is told without it.
"""
