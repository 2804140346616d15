from __future__ import annotations

from live_vlm_webui.models.model import ModelLabel
from live_vlm_webui.models.offer import Offer, best_first


def offer(name, vision) -> Offer:
    return Offer(ModelLabel("http://box/v1", name), vision)


def test_models_that_see_come_first_and_those_that_do_not_last():
    offers = best_first([offer("a", False), offer("b", None), offer("c", True), offer("d", None), offer("e", True)])
    assert [offer.label.name for offer in offers] == ["c", "e", "b", "d", "a"]


def test_an_offer_is_told_to_browsers_with_its_label():
    assert offer("a", None).to_json() == {"api_base": "http://box/v1", "name": "a", "server": "", "vision": None}
