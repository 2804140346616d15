"""pip and uv: what they obey of the user's settings, environments of the engine's own, and how their failures read."""
