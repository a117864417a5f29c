"""The address at which a local server listens, and the one at which other computers reach it."""

from __future__ import annotations

import errno
import ipaddress
import socket

from corpus.errors import StudioError

LOOPBACK = "127.0.0.1"
EVERY = "0.0.0.0"
NOWHERE = ("192.0.2.1", 9)
"""An address set aside for documentation (RFC 5737): asking the way there sends nothing, and tells our own address."""


def resolve(host: str) -> str:
    """The IPv4 address of a host by its name or address.

    Raises:
        StudioError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StudioError(
            f"--host {host}: expected a name or an IPv4 address of this computer, as 0.0.0.0 for all of them; {error}"
        ) from error
    return str(found[0][4][0])


def is_loopback(address: str) -> bool:
    """Whether only programs on this computer reach an address."""
    return ipaddress.ip_address(address).is_loopback


def free_port(address: str, wanted: int | None, before: int = 0) -> int:
    """A port that nothing listens on.

    Args:
        address: where the server is to listen.
        wanted: the port that was asked for; None: any, but rather the one of `before`.
        before: the port that was used before; 0: none.

    Raises:
        StudioError: the port that was asked for is taken, or this computer doesn't have the address.
    """
    if wanted is not None:
        if reason := _taken(address, wanted):
            raise StudioError(f"can't listen on {address}, port {wanted}: {reason}")
        return wanted
    if before and not _taken(address, before):
        return before
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise StudioError(f"can't listen on {address}: {_reason(error)}") from error
        return int(probe.getsockname()[1])


def _taken(address: str, port: int) -> str:
    """Why a port can't be had; empty where it can.

    Label Studio takes a port on which something answers at this computer's loopback for a busy one, and then moves to
    the next without a word, wherever it was to listen: so both are looked at.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return _reason(error)
    with socket.socket() as probe:
        probe.settimeout(1)
        return _reason(OSError(errno.EADDRINUSE, "")) if probe.connect_ex((LOOPBACK, port)) == 0 else ""


def _reason(error: OSError) -> str:
    reasons = {
        errno.EADDRINUSE: "another program listens there; stop it, or name another --port",
        errno.EADDRNOTAVAIL: "this computer has no such address; --host 0.0.0.0 stands for all that it has",
        errno.EACCES: "the system doesn't let you; ports from 1024 need no rights",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))


def reached_at(address: str) -> str:
    """What others call a server that listens at an address: for all addresses, this computer's own in the network."""
    if address != EVERY:
        return address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
        except OSError:  # no network at all
            return socket.gethostname()
        return str(probe.getsockname()[0])
