"""How every kernel is compiled: by numba, kept beside the package, without the interpreter lock.

numba compiles a function anew when the file that holds it changes, not when the file of a
function it calls does: after a change to these modules remove their ``__pycache__``.
"""

from numba import njit

__all__ = ["compiled", "inlined"]

compiled = njit(cache=True, nogil=True, error_model="numpy")
inlined = njit(cache=True, nogil=True, error_model="numpy", inline="always")
