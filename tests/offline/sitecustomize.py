"""With this folder in PYTHONPATH, Python starts without a network: only loopback is left.

No name is resolved and every other connection is refused, in this process and in all that it
starts: kernels, workers, the command line.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any


def _is_here(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


_resolve, _connect, _connect_ex = (
    socket.getaddrinfo,
    socket.socket.connect,
    socket.socket.connect_ex,
)


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    if not _is_here(host):
        raise socket.gaierror(socket.EAI_AGAIN, f"offline: {host} is not resolved")
    return _resolve(host, *args, **kwargs)


def _gethostbyname(host: str) -> str:
    return str(_getaddrinfo(host, None, socket.AF_INET)[0][4][0])


def _refused(sock: socket.socket, address: Any) -> bool:
    return sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0])


def _guarded(sock: socket.socket, address: Any) -> None:
    if _refused(sock, address):
        raise ConnectionRefusedError(f"offline: {address} is not reached")
    _connect(sock, address)


def _guarded_ex(sock: socket.socket, address: Any) -> int:
    import errno

    return errno.ECONNREFUSED if _refused(sock, address) else _connect_ex(sock, address)


socket.getaddrinfo = _getaddrinfo
socket.gethostbyname = _gethostbyname
socket.socket.connect = _guarded  # type: ignore[method-assign]
socket.socket.connect_ex = _guarded_ex  # type: ignore[method-assign]
