"""`bin/soak MINUTES`: a whole shop under mixed load, with a random fault every 20 seconds.

load.py shops and keeps shop · faults.py breaks things · record.py records what the shop answered ·
verdict.py compares that with the books and the mailbox · report.py writes it down.
"""
