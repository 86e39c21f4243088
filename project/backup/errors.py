"""The error of a backup that can't be made or restored."""


class BackupError(Exception):
    """Nothing was made or restored; the message is the cause and a remedy, for the terminal."""
