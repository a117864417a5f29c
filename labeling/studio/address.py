"""The address at which a local server listens, and the one at which other computers reach it."""

from __future__ import annotations

import errno
import ipaddress
import socket

from corpus.errors import StudioError

LOOPBACK = "127.0.0.1"
EVERY = "0.0.0.0"
NOWHERE = ("192.0.2.1", 9)
"""An address for documentation only (RFC 5737): looking up the route there sends nothing."""


def resolve(host: str) -> str:
    """The IPv4 address of a host by its name or address.

    Raises:
        StudioError: the host has no IPv4 address.
    """
    try:
        addresses = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StudioError(
            f"--host {host}: expected a name or an IPv4 address of this computer, as 0.0.0.0 for all of them; {error}"
        ) from error
    return str(addresses[0][4][0])


def is_loopback(address: str) -> bool:
    """Whether only programs on this computer can reach an address."""
    return ipaddress.ip_address(address).is_loopback


def free_port(address: str, wanted: int | None, before: int = 0) -> int:
    """A port on which nothing listens.

    Args:
        address: address at which the server is to listen.
        wanted: port that was asked for; None stands for any, preferably `before`.
        before: port that was used before; 0 if there was none.

    Raises:
        StudioError: the port that was asked for is taken, or this computer does not have the address.
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
    """Why a port cannot be used; empty if it can.

    If something answers on the port at this computer's loopback address, Label Studio takes the port for busy and moves
    to the next without saying so, whatever its own address. So both addresses are checked.
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
    """The address at which others reach a server; if it listens everywhere, this computer's address in the network."""
    if address != EVERY:
        return address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
        except OSError:  # no network at all
            return socket.gethostname()
        return str(probe.getsockname()[0])
