from __future__ import annotations

from live_vlm_webui.errors import ListenError, PortTakenError, SettingsError, WebUIError, WrongValueError


def test_an_error_tells_what_happened_and_then_what_to_do():
    assert str(WebUIError("The lens cap is on.", "Take it off.")) == "The lens cap is on.\nTake it off."


def test_settings_exit_with_2_and_the_rest_with_1():
    assert {kind: kind.exit_code for kind in (SettingsError, WrongValueError, ListenError, PortTakenError)} == {
        SettingsError: 2,
        WrongValueError: 2,
        ListenError: 1,
        PortTakenError: 1,
    }
