"""Instruments recorded, so that a page without a kernel can play them.

`axes` says which controls of an instrument are recorded and where they may stand, `capture` moves
them and notes what the page would be told, `series` and `tracks` pack that, `replay` unpacks it
as the page does, and `record` joins them.
"""

from .record import Recording, fingerprint, record

__all__ = ["Recording", "fingerprint", "record"]
