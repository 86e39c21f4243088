"""ACIDRain's attacks (Warszawski and Bailis, SIGMOD 2017): many requests, the same rows.

People press their buttons in the same moment, on the public pages, at the desk or by the API of a
running shop, and the statements on the way to PostgreSQL are held back by chance, so that the
transactions interleave (`delays`). Each attack says what went wrong (`attack`). Against the shop as
it is nothing may; against one without its guards (`unguarded`) something must, or the race isn't
real.
"""
