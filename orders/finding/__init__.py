"""Finding orders and products by what people and programs ask for: desk and API share it."""
