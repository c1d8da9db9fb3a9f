"""manage.py evaluate: measure engines on judged queries, and print them side by side."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.errors import ServiceError
from search.evaluation import judgement_import, questions
from search.evaluation import services as evaluation
from search.evaluation.metrics import FEW
from search.models import EvaluationRun

NAMES = {"precision": "P@{k}", "recall": "R@{k}", "rr": "MRR", "ndcg": "nDCG@{k}"}


def listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


EXAMPLES = """examples:
  manage.py evaluate --queries rings.csv --engines mini,words,fusion
      rings.csv: a header "text,part,grade", then a line for each part that is right for a query
      (a ring with a round diamond,R8107490,3); judgements_import --help tells of other files
  manage.py evaluate --source category --kinds image,mesh --limit 200
      parts ask with their own picture and mesh for the others of their category
  manage.py evaluate --set rings --json > rings.json
"""


class Command(BaseCommand):
    help = (
        "Measure engines on judged queries: of files, of the categories that people filed parts "
        "in, and of the staff's judgements. The run is kept and shown in the admin. Ctrl-C cancels "
        "it; of one that was killed a worker does the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument(
            "--engines", type=listed, default=(),
            help="names with commas, a+b is both together; all in use, words and fusion by default",
        )  # fmt: skip
        parser.add_argument(
            "--source", type=listed, default=questions.DEFAULT_SOURCES,
            help=f"of {', '.join(questions.SOURCES)}; with commas",
        )  # fmt: skip
        parser.add_argument(
            "--kinds", type=listed, default=(), help=f"of {', '.join(questions.KINDS)}"
        )
        parser.add_argument("--set", default="", help="only the queries of this set")
        parser.add_argument(
            "--queries", type=Path, help="bring in this file (judgements_import) and measure by it"
        )
        parser.add_argument("--k", type=int, default=10, help="how many hits of each answer count")
        parser.add_argument("--limit", type=int, default=500, help="questions of each source")
        parser.add_argument("--seed", type=int, default=0, help="draws questions and resamples")
        parser.add_argument("--threads", type=int, default=4, help="for throughput; 0: none")
        parser.add_argument("--note", default="", help="shown beside the run")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if path := options["queries"]:
            options["set"] = judgement_import.set_name(options["set"] or path.stem)
            # Beside JSON, what a person reads goes where a person looks.
            out = self.stderr if options["json"] else self.stdout
            call_command("judgements_import", path, set=options["set"], stdout=out)
        choice = questions.Choice(
            sources=options["source"],
            kinds=options["kinds"],
            query_set=options["set"],
            limit=options["limit"],
            seed=options["seed"],
        )
        plan = evaluation.Plan(choice, options["k"], options["threads"])
        try:
            run = evaluation.engines_measure(options["engines"], plan=plan, note=options["note"])
        except ServiceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("The evaluation is cancelled.") from None
        if options["json"]:
            self.stdout.write(json.dumps(run.metrics, ensure_ascii=False, indent=2))
        else:
            self.table(run)

    def table(self, run: EvaluationRun) -> None:
        found, k = run.metrics, run.metrics["k"]
        groups = list(dict.fromkeys(g for of in found["engines"].values() for g in of))
        measures = [name.format(k=k) for name in NAMES.values()]
        for group in groups:
            if not any(of.get(group, {}).get("n") for of in found["engines"].values()):
                continue
            heads = "".join(f"{name:>22}" for name in measures)
            self.stdout.write(f"\n{group:<24}{'n':>6}{heads}")
            for engine, of in found["engines"].items():
                if n := of.get(group, {}).get("n"):
                    cells = "".join(f"{figure(of[group][name]):>22}" for name in NAMES)
                    self.stdout.write(f"{engine:<24}{n:>6}{cells}{' *' if n < FEW else ''}")
        self.stdout.write(f"\n{'milliseconds':<24}{'p50':>8}{'p95':>8}{'p99':>8}{'a second':>10}")
        for engine, of in found["latency"].items():
            times = "".join(f"{of[point]:>8.1f}" for point in ("p50", "p95", "p99"))
            self.stdout.write(f"{engine:<24}{times}{of['per_s']:>10}{self.load(found, engine)}")
        self.stdout.write("\npairs (difference, 95% interval, p by randomisation, Holm)")
        for pair in found["pairs"]:
            name = NAMES[pair["measure"]].format(k=k)
            self.stdout.write(
                f"{name:<10}{pair['a']} - {pair['b']}: {figure(pair['difference'], sign='+')} "
                f"n={pair['n']} p={pair['p']:.4f} ({pair['p_holm']:.4f})"
                f"{' *' if pair['n'] < FEW else ''}"
            )
        self.stdout.write(f"\n* fewer than {FEW} questions: the interval is too narrow")
        if found.get("switched"):
            self.stdout.write("engines were switched or exchanged meanwhile: measure again")
        self.stdout.write(f"kept as evaluation {run.pk}; seed {run.plan['seed']}")

    def load(self, found: dict[str, Any], engine: str) -> str:
        load = found.get("threads", {}).get(engine)
        return f"   {load['threads']} threads: {load['per_s']} a second" if load else ""


def figure(of: list[float], *, sign: str = "") -> str:
    mean, low, high = of
    return f"{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"
