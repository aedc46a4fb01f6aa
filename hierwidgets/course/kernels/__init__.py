"""Kernels that begin with everything imported, and share its memory.

Importing what a lecture needs takes seconds and a hundred megabytes, the same in every kernel. So
one process (`mother`) does it once and waits; each kernel is a fork of it, which is there at once
and shares every page that neither writes to. `provisioner` is how Jupyter asks for one: it is named
in the kernel specification under ``lectures/.lab``, which is read where ``JUPYTER_PATH`` says so.
Where a system cannot do this, or anything fails, a kernel starts in the usual way.
"""
