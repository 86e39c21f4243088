"""`manage.py audit`: check every invariant; drift exits 1."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from project.monitoring.audit import invariants, run_audit


class Command(BaseCommand):
    help = "Check every invariant and print its figure. Drift exits 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fix", action="store_true", help="correct drifted counters, showing each change"
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        run = run_audit()
        if options["fix"] and not run.is_clean:
            drifted = {finding["name"] for finding in run.findings if finding["violations"]}
            for invariant in invariants():
                if invariant.name in drifted and invariant.fix is not None:
                    for change in invariant.fix():
                        self.stderr.write(self.style.WARNING(change))
            run = run_audit()
        if options["json"]:
            self.stdout.write(json.dumps({"clean": run.is_clean, "findings": run.findings}))
        else:
            for finding in run.findings:
                self._print(finding)
            self.stdout.write("clean" if run.is_clean else self.style.ERROR("drift"))
        if not run.is_clean:
            sys.exit(1)

    def _print(self, finding: dict[str, Any]) -> None:
        mark = self.style.ERROR("drift") if finding["violations"] else self.style.SUCCESS("ok   ")
        self.stdout.write(
            f"{mark} {finding['name']}: {finding['violations']} of {finding['checked']}"
        )
        for example in finding["examples"]:
            self.stdout.write(f"        {example}")
