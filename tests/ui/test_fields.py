"""Fields of forms, by keyboard."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tests.ui.playing import picture, until
from vnet_tui.engine import entries
from vnet_tui.engine.errors import Problem, Severity
from vnet_tui.engine.model import PortRange
from vnet_tui.screens.open_file import as_many_as_fit
from vnet_tui.widgets.fields import ChoiceField, Field, SwitchField, TextField


class Form(App[None]):
    """Three fields, and what they tell."""

    def __init__(self) -> None:
        super().__init__()
        self.ports: TextField[PortRange] = TextField(
            "port", entries.ports, needed=True, example="80 or 8000-8010"
        )
        self.protocol: ChoiceField[str] = ChoiceField(
            "protocol", (("tcp", "TCP"), ("udp", "UDP")), "tcp"
        )
        self.enabled = SwitchField("enabled", True)
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.ports
        yield self.protocol
        yield self.enabled

    def on_field_changed(self, message: Field.Changed) -> None:
        self.told.append(f"changed {message.field.value}")

    def on_field_submitted(self, message: Field.Submitted) -> None:
        self.told.append("submitted")


async def test_what_is_typed_is_read_at_every_key() -> None:
    app = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "80 or 8000-8010" in picture(app))
        await pilot.press(*"8x")
        await until(pilot, lambda: "✗ a port like 80" in picture(app))
        assert app.ports.problem is not None
        await pilot.press("backspace", "0")
        await until(pilot, lambda: "✗" not in picture(app))
        assert app.ports.value == PortRange(first=80, last=80)
        await pilot.press("enter")
        await until(pilot, lambda: app.told[-1] == "submitted")


async def test_arrows_go_from_field_to_field_and_choose() -> None:
    app = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "[TCP]" in picture(app))
        await pilot.press("down", "right")
        await until(pilot, lambda: "[UDP]" in picture(app))
        await pilot.press("down", "space")
        await until(pilot, lambda: "[no]" in picture(app))
        assert (app.protocol.value, app.enabled.value) == ("udp", False)
        await pilot.press("enter")
        assert app.told == ["changed udp", "changed False", "submitted"]


async def test_a_needed_value_is_missed_when_its_field_is_left() -> None:
    app = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "port" in picture(app))
        assert "✗" not in picture(app)
        await pilot.press("down")
        await until(pilot, lambda: "✗ it can't be empty" in picture(app))


async def test_what_is_wrong_beside_others_is_told_from_outside() -> None:
    app = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "port" in picture(app))
        app.ports.text = "80"
        app.ports.tell(
            Problem(message="taken [b]by[/b] web", remedy="another", severity=Severity.WARNING)
        )
        await until(pilot, lambda: "! taken [b]by[/b] web → another" in picture(app))
        app.ports.tell(None)
        await until(pilot, lambda: "taken" not in picture(app))


def test_names_are_offered_as_far_as_they_fit() -> None:
    assert as_many_as_fit([], 20) == ""
    assert as_many_as_fit(["dns.xml", "nat.xml"], 16) == "dns.xml  nat.xml"
    assert as_many_as_fit(["dns.xml", "nat.xml"], 15) == "dns.xml  …"
    assert as_many_as_fit(["dns.xml", "nat.xml", "web.xml"], 19) == "dns.xml  nat.xml  …"
