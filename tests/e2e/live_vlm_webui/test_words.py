"""Words of models in any script, and names of any length."""

from __future__ import annotations


def test_an_answer_from_right_to_left_is_shown_so(visit, models):
    models.behave(text="شخص يجلس على مكتب مع حاسوب محمول.", total=0.2)
    tab = visit()
    tab.start_camera()
    tab.until_text("text", "مكتب")
    tab.expect("text").to_have_css("direction", "rtl")


def test_a_model_that_is_named_by_a_path_is_shown_by_its_last_part(serve, serve_models, visit):
    server = serve_models("--play", "llamacpp", "--model", "/srv/models/qwen2.5-vl-7b-q4.gguf")
    address = serve("--api-base", server.api_base).line().split(" is ready: ")[1].split(" ")[0]
    tab = visit(url=address)
    tab.start_camera()
    tab.until_text("label", "qwen2.5-vl-7b-q4.gguf")
    tab.expect("label").not_to_contain_text("/srv")
