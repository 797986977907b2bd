# The types with which held.py is compiled; the Python source stays the one that counts.
cimport cython

cdef long long _KEPT_ITEMS, _MANY_ITEMS, _WEIGHED, _TAG, _TUPLE, _OFFSET_SHIFT, _DEEP_SHIFT, _WEIGHT, _BULKY, _TOO_DEEP

cdef class Held:
    cdef long long _generation
    cdef public long long room
    cdef dict _young, _old
    cpdef put(self, long long identity, list items)
    cpdef list get(self, long long identity)
    cpdef forget(self, long long identity)
    @cython.locals(held=list, room=cython.longlong)
    cpdef extend(self, long long identity, list items, long long kept=*)

cdef class Weights:
    cdef public long long bulky
    cdef dict _young, _old
    cpdef long long of(self, long long value) except -1
    @cython.locals(weight=cython.longlong, deepest=cython.longlong, value=cython.longlong, known=cython.longlong)
    cpdef weigh(self, long long identity, list items)
    cpdef keep(self, long long identity, long long weight, long long deepest)
