from __future__ import annotations

import pytest

from live_vlm_webui.models.vision import answers_questions, sees_by_card, sees_by_name, sees_by_ollama


def names(text):
    return text.split()


SEE = names("""
    llava:7b bakllava:latest llava-llama3 llama3.2-vision:11b qwen2.5vl:7b qwen2.5-vl-7b-instruct qwen3-vl:8b
    Qwen/Qwen2-VL-7B-Instruct Qwen/Qwen3-VL-8B-Instruct Qwen/Qwen2.5-Omni-7B qwen3.5:35b unsloth/Qwen3.6-35B-A3B-GGUF
    gemma3 gemma3:4b gemma3:latest google/gemma-3-12b-it google/gemma-3-27b-it gemma4:31b google/paligemma
    minicpm-v:8b openbmb/MiniCPM-V-2_6 openbmb/MiniCPM-o-2_6 moondream:1.8b vikhyatk/moondream2 pixtral-12b
    mistralai/Pixtral-12B-2409 mistral-small3.2:24b mistralai/Mistral-Small-3.1-24B-Instruct-2503 mistral-medium-3
    OpenGVLab/InternVL2_5-8B HuggingFaceTB/SmolVLM-500M-Instruct apple/FastVLM-7B LiquidAI/LFM2-VL-1.6B
    Efficient-Large-Model/NVILA-8B VILA1.5-3b nvidia/vila nvidia/Cosmos-Reason1-7B nvidia/cosmos-reason2-8b
    nvidia/neva-22b nvidia/nemotron-nano-12b-v2-vl nvidia/llama-3.1-nemotron-nano-vl-8b-v1
    meta/llama-3.2-90b-vision-instruct meta/llama-4-maverick-17b-128e-instruct microsoft/phi-3.5-vision-instruct
    microsoft/phi-4-multimodal-instruct deepseek-ai/deepseek-vl2 deepseek-ocr moonshotai/Kimi-VL-A3B zai-org/GLM-4.5V
    glm-4.1v-9b-thinking granite3.2-vision ibm-granite/granite-vision-3.3-2b allenai/Molmo-7B-D
    gpt-4o gpt-4o-mini chatgpt-4o-latest gpt-4.1-nano gpt-4-turbo gpt-5 gpt-5-mini o1 o3 o4-mini grok-4
    claude-sonnet-4 gemini-2.5-flash
""")
DO_NOT = names("""
    llama3:8b llama3.1:8b llama3.2:3b llama-3.3-70b meta/llama-3.1-8b-instruct mistral:7b mixtral:8x7b mistral-nemo
    mistral-large mistralai/Mistral-7B-Instruct-v0.3 qwen2.5:7b qwen2.5-coder:7b qwen3:8b Qwen/Qwen3-8B phi3:mini phi4
    gemma:7b gemma2:9b gemma3:1b gemma3:270m google/gemma-3-1b-it codellama:7b deepseek-r1:8b deepseek-v3 gpt-oss:20b
    gpt-3.5-turbo o1-mini o3-mini tinyllama smollm2:1.7b starcoder2 command-r falcon3 granite3.3:8b
    nvidia/llama-3.1-nemotron-70b-instruct
""")
DO_NOT_TELL = names("my-model default evlog/model devlog kimi-k2 minimaxai/minimax-m2.7 gpt-4 gemma3n:e4b")
ARE_NOT_ASKED = names("""
    nomic-embed-text mxbai-embed-large bge-m3 BAAI/bge-m3 text-embedding-3-small qwen3-embedding:8b all-minilm
    Qwen/Qwen3-VL-Embedding-2B Qwen3-VL-Reranker jina-reranker-v2 nvidia/nv-embedqa-e5-v5 nvidia/nvclip
    llama-nemotron-embed-vl whisper-1 openai/whisper-large-v3 tts-1 gpt-4o-audio-preview gpt-4o-realtime-preview
    gpt-4o-transcribe nvidia/parakeet-ctc omni-moderation-latest llama-guard3 dall-e-3 gpt-image-1 davinci-002 sora-2
""")


@pytest.mark.parametrize("name", SEE)
def test_models_that_see_are_known_by_name(name):
    assert sees_by_name(name) is True
    assert answers_questions(name)


@pytest.mark.parametrize("name", DO_NOT)
def test_text_models_are_known_by_name(name):
    assert sees_by_name(name) is False
    assert answers_questions(name)


@pytest.mark.parametrize("name", DO_NOT_TELL)
def test_other_names_tell_nothing(name):
    assert sees_by_name(name) is None


@pytest.mark.parametrize("name", ARE_NOT_ASKED)
def test_models_for_other_work_are_not_asked(name):
    assert not answers_questions(name)


def test_the_second_name_tells_where_the_first_does_not():
    assert sees_by_name("my-model", "Qwen/Qwen2.5-VL-7B-Instruct") is True


@pytest.mark.parametrize(
    ("card", "sees"),
    [
        ({"capabilities": ["completion", "multimodal"]}, True),
        ({"capabilities": ["completion"]}, False),
        ({"capabilities": {"vision": True, "completion_chat": True}}, True),
        ({"capabilities": {"vision": False}}, False),
        ({"capabilities": {"vision": "yes"}}, None),
        ({"modalities": {"vision": False, "audio": True}}, False),
        ({"architecture": {"input_modalities": ["text", "image"]}}, True),
        ({"architecture": {"input_modalities": ["text"]}}, False),
        ({"input_modalities": ["image"]}, True),
        ({"type": "vlm"}, True),
        ({"type": "llm"}, False),
        ({"capabilities": None, "modalities": 3, "architecture": [], "type": []}, None),
        ({}, None),
    ],
)
def test_cards_tell_in_several_ways(card, sees):
    assert sees_by_card(card) is sees


@pytest.mark.parametrize(
    ("shown", "sees"),
    [
        ({"capabilities": ["completion", "vision"]}, True),
        ({"capabilities": ["completion", "tools"]}, False),
        ({"projector_info": {"general.architecture": "clip"}}, True),
        ({"model_info": {"gemma3.vision.block_count": 27}}, True),
        ({"model_info": {"llama.block_count": 27}}, None),
        ({"model_info": None}, None),
        ({}, None),
    ],
)
def test_ollama_tells_in_several_ways(shown, sees):
    assert sees_by_ollama(shown) is sees
