"""Everything that the shop has stored, as text to be searched: each table, each file of the media.

The tables are read by COPY, from the database's own list of them: also those that no model knows.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I', relname) FROM pg_class"
            " WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace"
        )
        return sorted(row[0] for row in cursor.fetchall())


def dumped() -> Iterator[tuple[str, str]]:
    """Yield each table's name with all its rows as text, and what sessions hold in their code."""
    with connection.cursor() as cursor:
        for table in tables():
            out = io.BytesIO()
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                for part in copy:
                    out.write(part)
            yield table, out.getvalue().decode()
    for session in Session.objects.all():
        yield "django_session, decoded", str(session.get_decoded())


def stored() -> Iterator[tuple[str, str]]:
    """Yield each file's path in the media folder with path and content as text."""
    root = Path(settings.MEDIA_ROOT)
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(root))
        content = path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                content += b"".join(archive.read(each) for each in archive.namelist())
        yield name, f"{name}\n{content.decode('utf-8', 'replace')}"


def found(piece: str) -> set[str]:
    """Return the tables and files with this piece, in any case."""
    small = piece.lower()
    places = {place for place, text in dumped() if small in text.lower()}
    return places | {f"media: {place}" for place, text in stored() if small in text.lower()}
