"""What agents send, as pydantic models. Members that the shop doesn't know are left out."""
