"""manage.py judgements_import FILE: queries and the parts that are right for them."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.errors import ServiceError
from search.evaluation import judgement_import

EXAMPLES = """a table (parts by number, id or file; grades: 0 wrong, 1 related, 2 right, 3 just it):
  text,part,grade
  a ring with a round diamond,R8107490,3
  六角螺栓,B2210,3

a table of photos that lie beside it: picture,part    or of meshes: mesh,part
JSON: [{"text": "a thin ring", "parts": {"R8107490": 3, "R8107512": 1}}], or such a line each
TREC: qrels (topic 0 part grade), and topics.tsv (topic, tab, words) or pictures named by topic
"""


class Command(BaseCommand):
    help = (
        "Bring in judged queries: CSV or TSV with a header (text, picture or mesh; part; grade), "
        "JSON, or TREC qrels with topics. Pictures lie beside the file, in its folder or zip. What "
        "the set of this name held before is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument("path", type=Path, help="a file, a folder or a zip")
        parser.add_argument("--set", default="", help="its name; by default the file's")
        parser.add_argument("--topics", default="", help="the file that says what qrels' ids ask")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["path"]
        if not path.exists():
            raise CommandError(f"There is nothing at {path}.")
        try:
            with judgement_import.bundle_open(path) as (bundle, table):
                done = judgement_import.judgements_import(
                    bundle,
                    query_set=options["set"] or path.stem,
                    table=table,
                    topics=options["topics"],
                )
        except ServiceError as error:
            raise CommandError(str(error)) from error
        for fault in done.faults:
            self.stderr.write(fault)
        self.stdout.write(
            f"{done.query_set}: {done.queries} queries, {done.judgements} judgements; "
            f"{done.left_out} left out, {done.unknown} parts not known here."
        )
