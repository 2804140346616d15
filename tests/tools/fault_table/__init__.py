"""The fault table: rows declared as data, and the world in which each is struck and run again."""
