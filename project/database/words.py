"""Words of names in PostgreSQL, without accents and case: `desk_words` and `desk_query`.

Both are SQL functions (the migration `search_words`), so an index over `NameWords` is true for
every row, whoever writes it. They need no extension.
"""

from django.db.models import BooleanField, Func, TextField, Value


class NameWords(Func):
    """The words of a text column, for an index. A Chinese character is a word of its own."""

    function = "desk_words"
    output_field = TextField()  # a tsvector, for which Django has no field


class _WordQuery(Func):
    function = "desk_query"
    output_field = TextField()


class _Matches(Func):
    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()


def has_words(column: str, text: str) -> Func:
    """Return the condition that the column has a word with each of these beginnings."""
    return _Matches(NameWords(column), _WordQuery(Value(text)))
