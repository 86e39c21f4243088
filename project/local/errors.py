"""The error of a local shop that can't start."""


class CannotStart(Exception):
    """The start failed; the message is one line for the terminal, with the cause and a remedy."""
