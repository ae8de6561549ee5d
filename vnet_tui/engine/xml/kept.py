"""Networks as they are kept: the text that is written of one, and the network that is read there.

Definitions and records of running networks hold such texts; they are read at every change, and most
say what they said before.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from vnet_tui.engine.model import Network
from vnet_tui.engine.xml.reader import reread
from vnet_tui.engine.xml.writer import is_written_as, write


class _Kept:
    """The networks in the texts that were asked for last. May be used by several threads.

    ``most`` is how many characters all texts may have: room for those of fifty networks with ten
    thousand rules each.
    """

    def __init__(self, most: int = 1 << 25) -> None:
        self._most = most
        self._networks: OrderedDict[str, Network] = OrderedDict()
        self._characters = 0
        self._keeping = Lock()

    def network(self, text: str) -> Network:
        with self._keeping:
            known = self._networks.get(text)
            if known is not None:
                self._networks.move_to_end(text)
                return known
        made = reread(text)
        with self._keeping:
            if self._networks.setdefault(text, made) is made:
                self._characters += len(text)
            while self._characters > self._most:
                gone, _ = self._networks.popitem(last=False)
                self._characters -= len(gone)
        return made


network_in = _Kept().network
"""The network in a text that was written of one. Raises
:class:`~vnet_tui.engine.errors.DocumentError` where it is damaged."""


def kept(network: Network) -> tuple[str, Network]:
    """What is written of a network, and the network as it is read from there, with its lines.

    Raises :class:`~vnet_tui.engine.errors.DocumentError` for text that XML can't hold.
    """
    text = write(network)
    again = network_in(text)
    is_written_as(again, text)
    return text, again
