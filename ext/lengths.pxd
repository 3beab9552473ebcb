"""Checks of array lengths at the entry of kernels, for inside nothing checks."""


cdef inline int need(str name, Py_ssize_t have, Py_ssize_t want) except -1:
    """Raise ValueError unless an array has at least `want` elements."""
    if have < want:
        raise ValueError(f"{name} has {have} elements, {want} are needed")
    return 0
