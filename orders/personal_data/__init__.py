"""A person's data: what each table holds of a person, its export, its erasure, and its end.

    registry   every table with texts: which column holds what of a person, and what erasure does
    person     who is meant by an e-mail address: accounts, orders, phone numbers
    refusals   why a person can't be erased yet
    export     one zip of all that the shop has of a person
    erasure    the person goes, the bookkeeping stays
    erased     keyed hashes of who was erased: a restored backup erases them again
    jobs       both as desk jobs, which go on after a crash

`orders/retention.py` says how long everything else is kept.
"""
