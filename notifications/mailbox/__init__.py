"""The local mailbox: it stores the messages of a local run in files and shows them at /mailbox/."""
