"""The built-in describer: two small networks that answer where no model server is at hand."""
