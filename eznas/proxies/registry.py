"""Proxies by name."""

from __future__ import annotations

from typing import Final

from eznas.errors import ProxyError
from eznas.proxies.epe_nas import EPE_NAS
from eznas.proxies.fisher import FISHER
from eznas.proxies.flops import FLOPS
from eznas.proxies.grad_norm import GRAD_NORM
from eznas.proxies.grasp import GRASP
from eznas.proxies.jacob_cov import JACOB_COV
from eznas.proxies.l2_norm import L2_NORM
from eznas.proxies.naswot import NASWOT
from eznas.proxies.params import PARAMS
from eznas.proxies.plain import PLAIN
from eznas.proxies.proxy import Proxy
from eznas.proxies.snip import SNIP
from eznas.proxies.synflow import SYNFLOW
from eznas.proxies.zen import ZEN
from eznas.suggestion import quoted, with_nearest

_PROXIES: Final[dict[str, Proxy]] = {
    proxy.name: proxy
    for proxy in (
        PARAMS,
        FLOPS,
        GRAD_NORM,
        SNIP,
        GRASP,
        FISHER,
        SYNFLOW,
        JACOB_COV,
        NASWOT,
        PLAIN,
        L2_NORM,
        ZEN,
        EPE_NAS,
    )
}


def names() -> list[str]:
    """The names of all proxies."""
    return list(_PROXIES)


def get(name: str) -> Proxy:
    """The proxy of this name.

    Raises:
        ProxyError: No such proxy.
    """
    if name not in _PROXIES:
        message = f"unknown proxy {quoted(name)}; expected one of {', '.join(_PROXIES)}"
        raise ProxyError(with_nearest(message, name, _PROXIES))
    return _PROXIES[name]
