"""The JSON API: parse, one service call, answer with JSON or a problem. See docs/api.md."""
