"""The API's door: JSON in, one call of `place_order`, JSON or a problem out. See docs/api.md."""
