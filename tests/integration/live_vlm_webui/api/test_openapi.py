from __future__ import annotations

import re

import pytest
from aiohttp import web
from openapi_spec_validator import validate

import live_vlm_webui
from live_vlm_webui.api.openapi import read_description
from live_vlm_webui.app import create_app
from live_vlm_webui.config.settings import LONGEST_PROMPT, MONITOR_INTERVALS, Settings
from live_vlm_webui.models.endpoint import LONGEST_API_BASE
from live_vlm_webui.secret import LONGEST_KEY
from live_vlm_webui.sessions import settings as session_settings

METHODS = {"options", "get", "put", "post", "delete", "patch"}


@pytest.fixture
def description():
    return read_description()


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    return {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


async def test_the_description_is_valid_openapi(description):
    validate(description)
    assert description["info"]["version"] == live_vlm_webui.__version__


async def test_every_route_is_described_and_nothing_else_is(description, tmp_path):
    described = {(method, path) for path, item in description["paths"].items() for method in item if method in METHODS}
    assert routes_of(create_app(Settings(data_dir=tmp_path))) == described


async def test_every_operation_says_what_errors_look_like(description):
    for path, item in description["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                assert operation["responses"]["default"] == {"$ref": "#/components/responses/Error"}, (method, path)


async def test_limits_that_are_described_are_those_that_are_kept(description):
    patch = description["components"]["schemas"]["SettingsPatch"]["properties"]
    assert (patch["prompt"]["maxLength"], patch["model"]["maxLength"], patch["max_tokens"]["maximum"]) == (
        LONGEST_PROMPT,
        session_settings.LONGEST_NAME,
        session_settings.MOST_TOKENS,
    )
    assert (patch["api_base"]["maxLength"], patch["api_key"]["maxLength"]) == (LONGEST_API_BASE, LONGEST_KEY)
    for name, limits in {
        "max_frame_age": session_settings.FRAME_AGES,
        "frame_spacing": session_settings.FRAME_SPACINGS,
        "long_side": session_settings.LONG_SIDES,
        "frames_per_question": (1, session_settings.MOST_FRAMES),
    }.items():
        assert (patch[name]["minimum"], patch[name]["maximum"]) == limits, name
    body = description["paths"]["/api/system"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    interval = body["properties"]["interval"]
    assert (interval["minimum"], interval["maximum"]) == MONITOR_INTERVALS


async def test_every_setting_is_described_with_its_default_being_valid(description):
    schemas = description["components"]["schemas"]
    defaults = session_settings.SessionSettings().to_json()
    assert schemas["Settings"]["properties"].keys() == defaults.keys()
    assert schemas["SettingsPatch"]["properties"].keys() == {*defaults, "api_key"}


async def test_no_reference_leads_nowhere_and_no_schema_is_unused(description):
    text = str(description)
    named = set(re.findall(r"#/components/(\w+)/(\w+)", text))
    held = {(kind, name) for kind, held in description["components"].items() for name in held}
    assert named == {one for one in held if one[0] != "securitySchemes"}
