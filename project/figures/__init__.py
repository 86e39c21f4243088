"""Figures: what processes count themselves, and what apps read from the database.

`noting` is how something is counted, `folder` where gunicorn's processes keep it, `statsd` sends it
elsewhere as well; `database` has the apps' own figures of their rows.
"""
