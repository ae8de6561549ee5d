"""A document as text, which is written when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vnet_tui.engine.model import Network


class Wording:
    """What a person typed, or what a form says: then its text is made later, in whichever thread
    asks first. A form is edited at every key, and ten thousand rules take 40 ms to write."""

    __slots__ = ("_network", "_text")

    def __init__(self, text: str = "", *, network: Network | None = None) -> None:
        """``network`` is what to write; without it, ``text`` is the document."""
        self._text = text
        self._network = network

    @property
    def written(self) -> bool:
        """Whether the text is there, and costs nothing."""
        return self._network is None

    @property
    def text(self) -> str:
        """The document."""
        network = self._network  # another thread may be done with it at any time
        if network is not None:
            from vnet_tui.engine.xml import write  # brings lxml along

            self._text = write(network)
            self._network = None
        return self._text

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Wording) and self.text == other.text)

    def __hash__(self) -> int:
        return hash(self.text)
