"""``python -m vnet_tui.sandbox COMMAND...``: any command in a sandbox, a shell for example."""

import sys

from vnet_tui.sandbox.launch import launch

sys.exit(launch(sys.argv[1:] or ["sh"]))
