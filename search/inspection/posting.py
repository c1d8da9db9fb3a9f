"""Sends one message over HTTP to an address that somebody typed in, and to nowhere else.

An address may name this machine or the network behind it, directly, by a name that resolves there,
or by a redirect: the addresses a name resolves to are checked and the very one that was checked is
connected to, redirects are answers like any other, and proxies are not asked. Knows no Django.
"""

import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

TIMEOUT_S = 5.0  # to connect, and of each silence
WHOLE_S = 10.0  # of all: an answer that drips is cut off
ANSWER_MOST = 2000  # bytes that are read of it
SCHEMES = ("http", "https")

NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Posted:
    """What came of it: `ok` for an answer of 2xx; `answer` as a person reads it."""

    ok: bool
    answer: str


class Refused(Exception):
    """The address is none that may be told anything."""


def message_post(url: str, body: bytes, *, headers: dict[str, str], private: bool) -> Posted:
    """POST `body` to `url`. What goes wrong is the answer, not raised. `private`: addresses of
    this machine and of private networks may be told too."""
    try:
        connection = _connect(url, private=private)
    except Refused as error:
        return Posted(False, f"refused: {error}")
    except (OSError, http.client.HTTPException) as error:
        return Posted(False, _said(error))
    # Closing the socket wakes whoever waits on it.
    watch = threading.Timer(WHOLE_S, _shut, args=(connection,))
    watch.start()
    try:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=headers)
        response = connection.getresponse()
        response.read(ANSWER_MOST)
        reason = "".join(c for c in response.reason if c.isprintable())
        answer = f"{response.status} {reason}"[:100].strip()
        return Posted(200 <= response.status < 300, answer)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Posted(False, _said(error))
    finally:
        watch.cancel()
        connection.close()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What a receiver computes too: HMAC-SHA256 over the timestamp, a dot and the body."""
    signed = f"{timestamp}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _connect(url: str, *, private: bool) -> http.client.HTTPConnection:
    """A connection to one of the addresses the URL's name resolves to, all of them checked."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refused("no address") from error
    if parts.scheme not in SCHEMES or not host:
        raise Refused("neither http nor https")
    port = port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]).partition("%")[0] for info in found))
    for address in addresses:
        if not private and not is_public(ip_address(address)):
            raise Refused(f"{address} is not a public address")
    raw = _socket(addresses, port)
    try:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        if parts.scheme == "https":
            raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            connection.default_port = 443  # the Host header names others only
    except (OSError, ValueError):
        raw.close()
        raise
    connection.sock = raw
    return connection


def _socket(addresses: list[str], port: int) -> socket.socket:
    """Connected to the first that answers."""
    last: OSError = OSError("the name resolves to nothing")
    for address in addresses[:3]:
        try:
            return socket.create_connection((address, port), timeout=TIMEOUT_S)
        except OSError as error:
            last = error
    raise last


def is_public(address: Address) -> bool:
    """Whether it is an address of the open internet: not of this machine, a private network, a
    link, a cloud's own services, nor one of these in IPv6's clothes."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_unspecified


def _shut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"[:160]
