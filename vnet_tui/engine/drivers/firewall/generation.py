"""The generation of a namespace's nftables: a number that every change by anybody counts up.

Constants and layouts are those of ``linux/netfilter/nfnetlink.h`` and
``linux/netfilter/nf_tables.h``; integers in attributes are big-endian.
"""

from __future__ import annotations

import socket
import struct

_NETLINK_NETFILTER = 12
_NFT_MSG_NEWGEN = 10 << 8 | 15  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN
_NFT_MSG_GETGEN = 10 << 8 | 16
_NFTA_GEN_ID = 1
_NLM_F_REQUEST = 1
_NLMSG = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_NFGENMSG = struct.Struct(">BBH")  # family, version, resource
_NLATTR = struct.Struct("=HH")  # length, type


class Generation:
    """Asks for the generation over a socket of the namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.settimeout(1.0)

    def read(self) -> int | None:
        """The number now; None where the kernel doesn't tell."""
        length = _NLMSG.size + _NFGENMSG.size
        header = _NLMSG.pack(length, _NFT_MSG_GETGEN, _NLM_F_REQUEST, 1, 0)
        try:
            self._socket.send(header + _NFGENMSG.pack(socket.AF_UNSPEC, 0, 0))
            reply = self._socket.recv(4096)
        except OSError:
            return None
        size, kind, _, _, _ = _NLMSG.unpack_from(reply)
        if kind != _NFT_MSG_NEWGEN:
            return None
        at = length
        while at + _NLATTR.size <= size:
            width, attribute = _NLATTR.unpack_from(reply, at)
            if attribute == _NFTA_GEN_ID:
                return int.from_bytes(reply[at + _NLATTR.size : at + width], "big")
            at += (width + 3) & ~3
        return None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
