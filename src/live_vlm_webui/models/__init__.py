"""Vision language models: servers that speak OpenAI's chat completions, found, listed and asked."""
