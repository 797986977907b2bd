# The types with which sweep.py is compiled; the Python source stays the one that counts.
cimport cython

cdef Py_ssize_t _STEP, _LANES, _CHUNK, _FEW
cdef unsigned int _SIZE, _ALL
cdef int _INFINITE

ctypedef fused Word:
    unsigned char
    unsigned short
    unsigned int
    unsigned long long

@cython.locals(count=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, last=Py_ssize_t, i=Py_ssize_t, changed=cython.longlong, zeros=Word, few=Word,
               held_a=Word, held_b=Word, one=Word, other=Word)
cdef _differ(const Word[::1] a, const Word[::1] b, unsigned long long mask, long long[::1] out)

cpdef differ_8(const unsigned char[::1] a, const unsigned char[::1] b, unsigned long long mask, long long[::1] out)
cpdef differ_16(const unsigned short[::1] a, const unsigned short[::1] b, unsigned long long mask, long long[::1] out)
cpdef differ_32(const unsigned int[::1] a, const unsigned int[::1] b, unsigned long long mask, long long[::1] out)
cpdef differ_64(const unsigned long long[::1] a, const unsigned long long[::1] b, unsigned long long mask, long long[::1] out)

@cython.locals(count=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, i=Py_ssize_t, changed=cython.longlong, unlike=cython.uint, rounds=cython.uint,
               cuts=cython.uint, widens=cython.uint, nearest=cython.uint, cut=cython.uint, exact=cython.uint, one=cython.uint, other=cython.uint,
               small=cython.uint, size=cython.int, most=cython.int)
cpdef cast_bf16(const unsigned int[::1] wide, const unsigned short[::1] narrow, long long[::1] out)

@cython.locals(count=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, i=Py_ssize_t, changed=cython.longlong, unlike=cython.uint, rounds=cython.uint,
               widens=cython.uint, nearest=cython.uint, exact=cython.uint, odd=cython.uint, one=cython.uint, other=cython.uint,
               small=cython.uint, size=cython.uint, away=cython.uint)
cpdef cast_f16(const unsigned int[::1] wide, const unsigned short[::1] narrow, const unsigned int[::1] numbers,
               const unsigned int[::1] least, const unsigned int[::1] most, long long[::1] out)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t)
cpdef widen(const unsigned short[::1] narrow, const float[::1] numbers, float[::1] wide)

@cython.locals(count=Py_ssize_t, at=Py_ssize_t, j=Py_ssize_t, width=Py_ssize_t, one=double, other=double, apart=double, total=double)
cpdef norms(const float[::1] a, const float[::1] b, double[::1] lanes, double[::1] out)
