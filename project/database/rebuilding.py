"""Operations of migrations that build an index anew, in another form under the same name.

The new one is built beside the old one, so that the shop is never without.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import models
from django.db.migrations import RenameIndex
from django.db.migrations.operations.base import Operation


def rebuilt(model_name: str, index: models.Index) -> list[Operation]:
    """Return the operations that replace the index of this name; the migration isn't atomic."""
    new = index.clone()
    new.name = f"{index.name}_new"
    return [
        AddIndexConcurrently(model_name, new),
        RemoveIndexConcurrently(model_name, index.name),
        RenameIndex(model_name, new_name=index.name, old_name=new.name),
    ]
