"""Signing in, and the checks that run before a request reaches a handler."""
