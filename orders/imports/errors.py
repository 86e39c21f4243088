"""What a shopkeeper is told. The messages are theirs to act on."""


class ImportRefusedError(Exception):
    """The whole import can't begin; the message says why and what to do. Nothing was written."""


class RowRefusedError(Exception):
    """One row can't be used; the message names its columns and says what to do."""
