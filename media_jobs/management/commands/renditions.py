"""`manage.py renditions`: lists renditions by recipe, outdated ones and orphaned files."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from media_jobs.models import MediaJob, Rendition
from media_jobs.recipes import RECIPES
from media_jobs.remaking import stale
from media_jobs.rendition_files import ROOTS, leaves, remove, unneeded

ALL = "all"


class Command(BaseCommand):
    help = "List renditions by recipe; make those again whose recipe changed; remove orphans."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remake",
            nargs="?",
            const=ALL,
            metavar="RECIPE",
            help="queue the jobs whose recipe changed since (of one recipe, or of all)",
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="remove files that no rendition knows and no job is writing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["remake"]
        if wanted not in (None, ALL, *RECIPES):
            raise CommandError(f"No recipe “{wanted}”. There are: {', '.join(RECIPES)}.")
        for name, recipe in RECIPES.items():
            jobs = MediaJob.objects.filter(recipe=name)
            outdated = stale(jobs).count()
            files = Rendition.objects.filter(job__recipe=name).count()
            made = f"{jobs.count()} sources, {files} files, {outdated} to remake"
            self.stdout.write(f"{name} ({recipe.hash}): {made}")
            if wanted in (ALL, name) and outdated:
                self.stdout.write(f"  queued again: {stale(jobs).queue_again()}")
        self._report_unknown_recipes()
        self._handle_orphans(prune=options["prune"])

    def _report_unknown_recipes(self) -> None:
        others = MediaJob.objects.exclude(recipe__in=RECIPES).order_by().values("recipe")
        for row in others.annotate(count=Count("pk")):
            self.stdout.write(f"{row['recipe']} (no such recipe any more): {row['count']} sources")

    def _handle_orphans(self, *, prune: bool) -> None:
        folders = unneeded(leaves(*ROOTS))
        if not prune:
            self.stdout.write(f"orphans: {len(folders)} folders (--prune removes them)")
            return
        files = size = 0
        for folder in folders:
            count, freed = remove(folder)
            files, size = files + count, size + freed
        self.stdout.write(f"orphans: removed {files} files, {size / 1e6:.1f} MB")
