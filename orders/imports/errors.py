"""The errors of an import. Each message tells the operator what to do."""


class ImportRefusedError(Exception):
    """The import can't begin; the message says why and what to do. Nothing was written."""


class RowRefusedError(Exception):
    """One row can't be used; the message names its columns and says what to do.

    It has one or several faults, each beginning with its column: `price: isn't a price`.
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
