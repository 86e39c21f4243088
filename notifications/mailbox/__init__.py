"""The local mailbox: what a local run sent, kept in files and shown at /mailbox/."""
