"""The desk: who may have how much, right now."""

from capdesk.desk.allocator import CapitalAllocator

__all__ = ["CapitalAllocator"]
