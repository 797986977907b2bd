# The types with which lz4_block.py is compiled; the Python source stays the one that counts.
cimport cython

cdef unsigned long long _MASK, _P1, _P2, _P3, _P4, _P5

@cython.locals(out=bytearray, base=cython.Py_ssize_t, size=cython.Py_ssize_t, full=cython.Py_ssize_t, at=cython.Py_ssize_t,
               token=cython.longlong, length=cython.Py_ssize_t, more=cython.longlong, back=cython.Py_ssize_t,
               written=cython.Py_ssize_t, start=cython.Py_ssize_t)
cpdef bytes decode_block(bytes data, bytes history, Py_ssize_t most)
