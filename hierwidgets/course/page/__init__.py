"""The lecture page: every number it prints, and ours beside them."""

from .printed import CAUSES, Printed, check, items, number, numbers, paired

__all__ = ["CAUSES", "Printed", "check", "items", "number", "numbers", "paired"]
