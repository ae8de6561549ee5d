"""What belongs to vnetd on a host besides the Python package, and where each file goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).parent / "files"

SERVICE = "vnetd.service"
UNITS = ("vnetd.socket", SERVICE)
GROUPS = "sysusers.conf"
DIRECTORIES = "tmpfiles.conf"

_LOCAL_CONFIGURATION = Path("/etc")
_LOCAL_DATA = Path("/usr/local/share")


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that comes with the package.

    ``place`` is below ``lib`` of the prefix of a distribution's package and below ``/etc`` of what
    an administrator installs if it is for systemd; else below ``share``, and ``/usr/local/share``.
    """

    source: str
    place: str
    what: str
    systemd: bool = False

    @property
    def text(self) -> str:
        """As it comes with the package."""
        return (FILES / self.source).read_text()

    def path(self, root: Path, prefix: str) -> Path:
        """Where it goes on the system below ``root``; ``prefix`` as for a distribution."""
        if prefix:
            path = Path("/", prefix, "lib" if self.systemd else "share", self.place)
        else:
            path = (_LOCAL_CONFIGURATION if self.systemd else _LOCAL_DATA) / self.place
        return root / path.relative_to("/")


PIECES = (
    Piece("vnetd.socket", "systemd/system/vnetd.socket", "the socket", systemd=True),
    Piece(SERVICE, f"systemd/system/{SERVICE}", "the service", systemd=True),
    Piece(GROUPS, "sysusers.d/vnet.conf", "the groups vnet and vnet-read", systemd=True),
    Piece(DIRECTORIES, "tmpfiles.d/vnet.conf", "the directories", systemd=True),
    Piece("vnet.bash", "bash-completion/completions/vnet", "completion in bash"),
    Piece("vnet.zsh", "zsh/site-functions/_vnet", "completion in zsh"),
    Piece("vnet.fish", "fish/vendor_completions.d/vnet.fish", "completion in fish"),
    Piece("vnet.1", "man/man1/vnet.1", "the manual of vnet"),
    Piece("vnet-tui.1", "man/man1/vnet-tui.1", "the manual of vnet-tui"),
    Piece("vnetd.8", "man/man8/vnetd.8", "the manual of vnetd"),
)
