"""Zero-cost proxies of the literature, to compare programs with."""

from eznas.proxies.proxy import Proxy
from eznas.proxies.registry import get, names

__all__ = ["Proxy", "get", "names"]
