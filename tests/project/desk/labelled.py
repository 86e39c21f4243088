"""The names in a job's context that the desk has labels for."""


def names_in(value: object) -> set[str]:
    """Return all names of a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names_in(each)}
    if isinstance(value, list):
        return {name for each in value for name in names_in(each)}
    return set()
