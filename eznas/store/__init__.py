"""The store: statistics of many networks on disk, memory-mapped, whole or resumable."""

from eznas.store.collecting import collect_store
from eznas.store.reader import StatisticsStore
from eznas.store.writer import StoreWriter

__all__ = ["StatisticsStore", "StoreWriter", "collect_store"]
