"""The built-in describer: two small networks that answer if there is no model server."""
