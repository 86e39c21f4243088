"""Vouchers: which code makes which order cheaper, and by how much. See docs/vouchers.md."""
