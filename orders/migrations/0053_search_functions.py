"""The functions behind the shop's search: see docs/search.md.

Everything in them is of pg_catalog or named here, so they need no extension. They are IMMUTABLE:
indexes are built over `shop_words`, and so are true for every row, whoever writes it. A change of
the rules needs new functions and new indexes.

`shop_text` takes off case and accents: letters that Unicode doesn't decompose (ß, ø, ł …) are
spelt out; NFKD and the removal of combining marks do the rest. Nothing separates Chinese words, so
a run of Chinese characters or kana becomes its pairs: those that begin at its first, third …
character, and those that begin at its second, fourth …; the first and the last one also stand
alone, so the beginning of some word is each character.

`shop_words` is said to cost a lot, and is PL/pgSQL so that it counts (SQL would be inlined): the
planner then prefers an index to computing the words of row after row.
"""

from django.db import migrations

HAN = r"\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

PLAIN = rf"""
DECLARE
    plain text := pg_catalog.regexp_replace(
        pg_catalog.regexp_replace(
            pg_catalog.normalize(
                pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
                    pg_catalog.translate(pg_catalog.lower($1), 'øØłŁđĐðÐħĦŧŦıÆŒẞ', 'oOlLdDdDhHtTiæœß'),
                    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
                'NFKD'),
            '[\u0300-\u036f]', '', 'g'),
        '[!-/:-@[-`{{-~\u00a0-\u00bf\u2000-\u206f\u3000-\u3004\u3008-\u303f\u30fb]+', ' ', 'g');
    shifted text;
BEGIN
    IF plain ~ '[{HAN}]' THEN
        plain := pg_catalog.regexp_replace(plain, '([{HAN}]+)', ' \1 ', 'g');
        shifted := pg_catalog.regexp_replace(plain, ' ([{HAN}])', ' \1 ', 'g');
        plain := pg_catalog.regexp_replace(
            plain || ' ' || shifted, '([{HAN}])([{HAN}])', ' \1\2 ', 'g');
    END IF;
"""

# Both have the same body: a function that an index calls must find no other by the search path,
# which is empty in a restore.
TEXT = f"""
CREATE OR REPLACE FUNCTION shop_text(text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $${PLAIN}
    RETURN plain;
END $$
"""

WORDS = f"""
CREATE OR REPLACE FUNCTION shop_words(text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 50000 AS $${PLAIN}
    RETURN pg_catalog.strip(
        pg_catalog.to_tsvector('pg_catalog.simple'::pg_catalog.regconfig, plain)
        || pg_catalog.to_tsvector('pg_catalog.english'::pg_catalog.regconfig, plain));
END $$
"""

TERMS = """
CREATE OR REPLACE FUNCTION shop_terms(text)
RETURNS TABLE (word text, entire tsquery, beginning tsquery, is_stop boolean)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lexeme,
        (quote_literal(lexeme) || stemmed.alternative)::tsquery,
        (quote_literal(lexeme) || CASE WHEN lexeme ~ '^[a-z0-9]$' THEN '' ELSE ':*' END
            || stemmed.alternative)::tsquery,
        stem = '{}'
    FROM unnest(to_tsvector('simple', shop_text($1))),
        ts_lexize('english_stem', lexeme) AS stem,
        LATERAL (SELECT coalesce(' | ' || quote_literal(stem[1]), '') AS alternative) AS stemmed
    ORDER BY positions[1]
$$
"""

class Migration(migrations.Migration):
    dependencies = [("orders", "0052_carts")]

    operations = [
        migrations.RunSQL(TEXT, "DROP FUNCTION shop_text(text)"),
        migrations.RunSQL(WORDS, "DROP FUNCTION shop_words(text)"),
        migrations.RunSQL(TERMS, "DROP FUNCTION shop_terms(text)"),
    ]
