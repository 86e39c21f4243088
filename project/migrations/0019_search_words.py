"""The functions behind the desk's search for names: see `project.database.words`.

Everything in them is of pg_catalog, so they work under any search_path, also in a restore. They
are IMMUTABLE: an index may be built over the first, and the second is computed while planning. A
change of the rules needs a new function and new indexes. The first is said to cost a
lot, and PL/pgSQL so that it counts (SQL would be inlined): the planner then prefers the index to
computing the words of row after row, which takes seconds if a frequent name is only in old rows.

Letters that Unicode doesn't decompose (ß, ø, ł …) are spelt out; NFKD and the removal of combining
marks do the rest. Chinese characters and kana stand alone, because nothing separates such words.
"""

from django.db import migrations

WORDS = r"""
CREATE OR REPLACE FUNCTION desk_words(text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 5000 AS $$ BEGIN
    RETURN pg_catalog.to_tsvector('pg_catalog.simple'::pg_catalog.regconfig,
        pg_catalog.regexp_replace(
            pg_catalog.regexp_replace(
                pg_catalog.regexp_replace(
                    pg_catalog.normalize(
                        pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
                            pg_catalog.translate($1, 'øØłŁđĐðÐħĦŧŦıÆŒẞ', 'oOlLdDdDhHtTiæœß'),
                            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
                        'NFKD'),
                    '[\u0300-\u036f]', '', 'g'),
                '[!-/:-@[-`{-~\u00a0-\u00bf\u2000-\u206f\u3000-\u3004\u3008-\u303f\u30fb]+', ' ', 'g'),
            '([\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])',
            ' \1 ', 'g'));
END $$
"""

QUERY = """
CREATE OR REPLACE FUNCTION desk_query(text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pg_catalog.string_agg(pg_catalog.quote_literal(lexeme) || ':*', ' & ')::pg_catalog.tsquery
    FROM pg_catalog.unnest(desk_words($1))
$$
"""


class Migration(migrations.Migration):
    dependencies = [("project", "0018_prunable")]

    operations = [
        migrations.RunSQL(WORDS, "DROP FUNCTION desk_words(text)"),
        migrations.RunSQL(QUERY, "DROP FUNCTION desk_query(text)"),
    ]
