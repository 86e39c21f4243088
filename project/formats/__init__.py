"""Django's formats of dates, by language: ISO wherever no other form is asked for.

The desk, and every third-party page in it, shows “2026-11-28 14:05”. The shop asks for the reader's
own form by `reader_time` and `reader_date` (`project/templatetags/reader_times.py`).
"""
