"""Documents: reading a network from XML, and writing it as XML.

``parse`` raises with everything that is wrong with a document's form; ``examine`` also tells what
makes no sense in it, alone and beside other networks. lxml is loaded when a document is read.
"""

from vnet_tui.engine.xml.examine import examine
from vnet_tui.engine.xml.kept import kept, network_in
from vnet_tui.engine.xml.reader import parse, read, reread
from vnet_tui.engine.xml.walk import Reading
from vnet_tui.engine.xml.writer import write

__all__ = ["Reading", "examine", "kept", "network_in", "parse", "read", "reread", "write"]
