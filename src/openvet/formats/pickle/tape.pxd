# The types with which tape.py is compiled; the Python source stays the one that counts.
cimport cython
from openvet.formats.pickle.held cimport Held, Weights

cdef long long _BLOCK, _HAND, _LEFT, _LOOK, _KEPT_ITEMS
cdef long long _FIXED, _LENGTH1, _LENGTH4, _LENGTH8, _MEMOIZE, _BINPUT, _LONG_BINPUT, _BINGET, _LONG_BINGET, _MARK, _EMPTY
cdef long long _TUPLE1, _TUPLE2, _TUPLE3, _SETITEMS, _APPENDS
cdef long long _OP_TUPLE, _OP_REDUCE, _OP_NEWOBJ, _OP_BUILD, _OP_ADDITEMS, _OP_SETITEM, _OP_APPEND, _OP_BINPERSID
cdef long long _OP_BININT1, _OP_BININT2, _OP_BININT, _OP_BINUNICODE, _OP_SHORT_BINUNICODE, _ELSEWHERE
cdef long long _REF, _RESULT, _PERSISTENT
cdef long long _LIT, _TUPLE, _LIST, _DICT, _SET, _FROZENSET, _TAG, _TAG_AND_A, _A_SHIFT, _OFFSET_SHIFT, _LOOK_FROM, _UNDERSCORE, _INTERFACE, _CUDA_INTERFACE, _LARGE
cdef long long _DEEP_SHIFT, _WEIGHT, _ENCODED_BIT, _SETTLED_ENCODES, _SETTLED_SHAPED, _SMALL

cdef class Tape:
    cdef public Held held
    cdef public Weights weights
    cdef public long long memo_most, marks_most, kept, depth, marked, hot, memo_size, memo_count, count, why, last
    cdef public bint curious, dense, alone, inner_full, observed
    cdef public set followed
    cdef public object machine
    cdef public long long called_at
    cdef public list refs
    cdef public dict inner, keyed, carried_at, sizes
    cdef long long[::1] _stack, _marks, _memo
    cdef long long _room, _marks_room, _memo_room
    cdef const unsigned char[::1] _block
    cdef long long _from
    cdef const unsigned char[::1] _kinds, _widths, _sorts, _firsts, _pairs

    @cython.locals(room=cython.longlong, into=cython.longlong[::1])
    cdef _grow_stack(self)
    @cython.locals(room=cython.longlong, into=cython.longlong[::1])
    cdef _grow_marks(self)
    @cython.locals(room=cython.longlong, into=cython.longlong[::1])
    cdef _grow_memo(self, long long least)
    @cython.locals(tag=cython.longlong)
    cpdef push(self, long long value)
    @cython.locals(floor=cython.longlong)
    cpdef long long pop(self)
    @cython.locals(floor=cython.longlong)
    cpdef long long top(self)
    cpdef long long result(self)
    cpdef bint mark_on_top(self)
    cpdef long long memo_at(self, long long index)
    cpdef memo_set(self, long long index, long long value)
    @cython.locals(at=cython.longlong, code=cython.longlong, high=cython.longlong, data="const unsigned char[::1]")
    cpdef long long number(self, long long value)
    @cython.locals(entry=list, at=cython.longlong, number=cython.longlong, found=list)
    cpdef list numbers(self, long long value)
    @cython.locals(at=cython.longlong, code=cython.longlong, length=cython.longlong, data="const unsigned char[::1]")
    cpdef word(self, long long value)
    @cython.locals(
        stack=cython.longlong[::1], memo=cython.longlong[::1], marks=cython.longlong[::1],
        depth=cython.longlong, marked=cython.longlong, floor=cython.longlong, hot=cython.longlong, count=cython.longlong, why=cython.longlong,
        offset=cython.longlong, code=cython.longlong, kind=cython.longlong, look=cython.bint, length=cython.longlong, start=cython.longlong,
        following=cython.longlong, index=cython.longlong, value=cython.longlong, tag=cython.longlong, under=cython.longlong,
        bag=cython.longlong,
    )
    cpdef long long run(
        self, const unsigned char[::1] data, long long at, long long safe, long long base, long long size, long long frame,
        long long allowed, list trace
    )
    @cython.locals(
        stack=cython.longlong[::1], at=cython.longlong, value=cython.longlong, tag=cython.longlong, bag=cython.longlong, more=cython.longlong
    )
    cdef long long _bag(self, long long start, long long end) except -2
    @cython.locals(stack=cython.longlong[::1], at=cython.longlong, value=cython.longlong, first=cython.longlong)
    cdef _tell(self, long long container, long long start, long long end, long long pairs)
    @cython.locals(floor=cython.longlong, first=cython.longlong, tag=cython.longlong, pairs=cython.longlong)
    cdef bint _known(self, long long code, long long offset) except -1
    cdef _drop(self, long long depth)
    @cython.locals(under=cython.longlong, tag=cython.longlong, bag=cython.longlong, value=cython.longlong)
    cdef bint _gather(self, long long code, long long offset, long long floor) except -1
    @cython.locals(arguments=cython.longlong, callee=cython.longlong, bag=cython.longlong, settled=cython.longlong)
    cdef bint _call(self, long long offset) except -1
    @cython.locals(entry=list, value=cython.longlong, code=cython.longlong, at=cython.longlong)
    cdef bint _encode(self, object ref, long long arguments) except -1
    @cython.locals(entry=list, extents=list, extent=cython.longlong, product=cython.longlong)
    cdef bint _is_small(self, long long identity) except -1
    @cython.locals(entry=list, at=cython.longlong, value=cython.longlong, tag=cython.longlong)
    cdef bint _simple(self, long long identity, long long depth) except -1
    @cython.locals(state=cython.longlong, instance=cython.longlong)
    cdef bint _build(self) except -1
    @cython.locals(
        stack=cython.longlong[::1], at=cython.longlong, weight=cython.longlong, deepest=cython.longlong,
        known=cython.longlong, deep=cython.longlong, weights=Weights
    )
    cdef _weigh(self, long long identity, long long start, long long end)
    cdef bint _appends_memo(self, long long index)
    @cython.locals(sort=cython.longlong)
    cdef bint _worth(self, long long code, long long length, long long first, long long second)
    @cython.locals(at=cython.longlong, end=cython.longlong, data="const unsigned char[::1]")
    cdef bint _large(self, long long code, long long start, long long length) except -1
    @cython.locals(entry=list, stack=cython.longlong[::1], kept=cython.longlong, at=cython.longlong)
    cdef _fill(self, long long identity, long long start, long long end)
