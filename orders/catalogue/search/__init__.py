"""Finding products: by words, with typing mistakes, filtered, sorted, page by page.

`words` reads what was typed, `matching` says what it finds and how well, `spelling` corrects it,
`listing` makes a page of it. `vocabulary` and `popularity` are what sweeps keep for them.
"""
