"""Forgetting connections, so that the next packet is the first of one."""

from __future__ import annotations

import os
import socket
import struct

_NETLINK_NETFILTER = 12
_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_REQUEST_ACK = 0x05  # NLM_F_REQUEST | NLM_F_ACK


def forget_connections() -> None:
    """Empty conntrack's table in the network namespace of the calling thread."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as netlink:
        netlink.bind((0, 0))
        netlink.send(struct.pack("=IHHIIBBH", 20, _DELETE, _REQUEST_ACK, 1, 0, 0, 0, 0))
        error = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    if error:
        raise OSError(-error, os.strerror(-error))
