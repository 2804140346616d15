"""Find out which models accept pictures: from their server, else from their name.

Ollama, llama.cpp, SGLang and some others report it. vLLM, NIM and OpenAI do not, but the names of vision models nearly
always show it. For a name that matches none of these lists the result is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PART = r"(?<![a-z])({})(?![a-z])"
"""A part of a name without adjacent letters: the ``vl`` of ``qwen2.5vl:7b``, not that of ``evlog``."""

SEES = tuple(
    re.compile(pattern)
    for pattern in (
        _PART.format("vl|vlm|vision|visual|multimodal|omni|ocr|mmproj|docling"),
        r"llava|internvl|smolvlm|fastvlm|cogvlm|cogagent|idefics|moondream|pixtral|paligemma|molmo|minicpm-?[vo]|vila"
        r"|mplug-?owl|xcomposer|videollama|tarsier|(^|/)ovis|aria-chat|kosmos|deplot|neva-|qvq|olmocr|emu3|janus"
        r"|cosmos-?(reason|nemotron)|eagle-?2|tinyllava|bunny-|phi-?4-mm|sa2va|florence-vl|yi-vl|fuyu-",
        r"minicpm-llama3-v|glm-?[0-9.]+v|step-?1[ov]|internlm-xc",
        r"gemma-?3(?!n)(?!.*(?<![0-9])(1b|270m))|gemma-?[4-9](?![0-9]*b)|llama-?4|scout|maverick",
        r"qwen-?3\.[5-9]|mistral-(small-?(3\.[1-9]|24b-2503|2503|2506)|medium-?3)|magistral-small-2509|ministral-3-",
        r"gpt-?4o(?!.*(audio|realtime|transcribe|tts|search))|gpt-?4\.[1-9]|gpt-?4-turbo|gpt-?[5-9]",
        r"(?<![a-z0-9])o[134](?!-?(mini|preview))(?![a-z0-9])|(?<![a-z0-9])o4-mini",
        r"claude-?(3|[4-9]|opus|sonnet|haiku)|gemini-|grok-?[4-9]|nova-(lite|pro|premier)",
    )
)
SEES_NOT = tuple(
    re.compile(pattern)
    for pattern in (
        r"coder|code-?(llama|gemma|stral|qwen)|starcoder|deepseek-(r1|v[23]|llm|chat|reasoner)|gpt-?oss|gpt-?3",
        r"(?<![a-z0-9])o[13]-?(mini|preview)|llama-?(2|3)(?![0-9])|tinyllama|smollm|vicuna|wizardlm|mixtral",
        r"mistral-?(7b|nemo|large)|mistral:|qwen-?(1\.5|2\.5|2|3)(?![0-9.])|phi-?[234]|gemma-?[12](?![0-9])|gemma:|gemma-?3(?!n)",
        r"command-r|falcon|olmo|dolly|mpt-|nemotron|granite|solar|zephyr|orca",
    )
)
NOT_ASKED = tuple(
    re.compile(pattern)
    for pattern in (
        r"embed|rerank|retriev|(?<![a-z])(bge|e5|gte|stella)-|minilm|sentence-t|colbert|colpali|colqwen|nv-?clip|siglip",
        r"whisper|(?<![a-z])(tts|asr|stt)(?![a-z])|speech|transcri|realtime|-audio|parakeet|canary|kokoro|orpheus|musicgen",
        r"moderation|guard|safety|reward|dall-?e|gpt-image|imagen|(?<![a-z])(sora|veo)(?![a-z])|diffusion|sdxl|flux",
        r"babbage|davinci|text-(ada|curie)",
    )
)


def sees_by_name(*names: str) -> bool | None:
    """Return whether a model with these names accepts pictures; None if they do not show it."""
    lowered = [name.lower() for name in names if name]
    if _any(SEES, lowered):
        return True
    return False if _any(SEES_NOT, lowered) else None


def answers_questions(name: str) -> bool:
    """Return whether a model answers questions: not for embedding, ranking, speech, moderation or image generation."""
    return not _any(NOT_ASKED, [name.lower()])


def sees_by_card(card: dict[str, Any]) -> bool | None:
    """Return whether a model accepts pictures, from its entry in a list of models; None if that does not show it.

    Known forms: ``"capabilities": ["completion", "multimodal"]`` (llama.cpp) or ``["vision"]`` (Ollama, GitHub),
    ``"capabilities": {"vision": true}`` (Mistral), ``"architecture": {"input_modalities": ["text", "image"]}``
    (OpenRouter, llama.cpp), ``"modalities": {"vision": true}`` (llama.cpp), ``"type": "vlm"`` (LM Studio).
    """
    capabilities = card.get("capabilities")
    if isinstance(capabilities, list):
        return any(capability in {"vision", "multimodal"} for capability in capabilities if isinstance(capability, str))
    for switches in (capabilities, card.get("modalities")):
        if isinstance(switches, dict) and isinstance(switches.get("vision"), bool):
            return bool(switches["vision"])
    for holder in (card, card.get("architecture")):
        inputs = holder.get("input_modalities") if isinstance(holder, dict) else None
        if isinstance(inputs, list):
            return "image" in inputs
    return {"vlm": True, "llm": False}.get(str(card.get("type")))


def sees_by_ollama(shown: dict[str, Any]) -> bool | None:
    """Return whether a model accepts pictures, from Ollama's ``/api/show``; before 0.6.4 it had no ``capabilities``."""
    if isinstance(shown.get("capabilities"), list):
        return "vision" in shown["capabilities"]
    information = shown.get("model_info")
    if shown.get("projector_info") or (isinstance(information, dict) and any(".vision." in key for key in information)):
        return True
    return None


def _any(patterns: Iterable[re.Pattern[str]], names: list[str]) -> bool:
    return any(pattern.search(name) for pattern in patterns for name in names)
