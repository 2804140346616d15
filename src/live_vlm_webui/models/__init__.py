"""Vision language models: find, list and ask servers with OpenAI's chat completions API."""
