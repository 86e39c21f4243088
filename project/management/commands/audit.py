"""`manage.py audit`: check every invariant; drift exits 1."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from project.models import AuditRun
from project.monitoring.audit import AuditBusy, run_audit
from project.monitoring.recent import audit_recent


class Command(BaseCommand):
    help = "Check every invariant and print its figure. Drift exits 1."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--fix",
            action="store_true",
            help="correct drifted counters step by step, showing each change; it may be stopped",
        )
        what.add_argument(
            "--recent",
            action="store_true",
            help="check what changed since the last clean audit, as every five minutes",
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = self._run(**options)
        except AuditBusy as busy:
            raise CommandError(str(busy)) from busy
        if options["json"]:
            self.stdout.write(json.dumps({"clean": run.is_clean, "findings": run.findings}))
        else:
            for finding in run.findings:
                self._print(finding)
            self.stdout.write("clean" if run.is_clean else self.style.ERROR("drift"))
        if not run.is_clean:
            sys.exit(1)

    def _run(self, *, fix: bool, recent: bool, **_options: Any) -> AuditRun:
        if recent:
            return audit_recent()
        return run_audit(fix=self._show if fix else None)

    def _show(self, change: str) -> None:
        self.stderr.write(self.style.WARNING(change))

    def _print(self, finding: dict[str, Any]) -> None:
        mark = self.style.ERROR("drift") if finding["violations"] else self.style.SUCCESS("ok   ")
        self.stdout.write(
            f"{mark} {finding['name']}: {finding['violations']} of {finding['checked']}"
        )
        for example in finding["examples"]:
            self.stdout.write(f"        {example}")
