"""Do words find parts as the product answers them? What parts are called and look like, together.

One catalogue of real parts, the development furniture and the families, is asked three times:
anonymous, every second part named, all named. Asked are names and paraphrases that the weights
never learnt; relevant is every part that is called so. The weights are those judged on the
validation split, and `search.text_weights` and `expansion` of the configuration are chosen here.

    python -m bench.quality_fusion [--models DIR] [--calibration DIR] [--most N]
"""

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import running
from bench.quality_words import families_tasks, furniture_tasks, parts_embed
from bench.words_galleries import families_gallery, furniture_gallery, furniture_parts
from catalog.families.registry import FAMILIES
from catalog.families.types import Phrases
from search.engine import metrics
from search.engine.encoders.mini import MANIFEST, MiniEncoder
from search.engine.text.fold import fold
from training.places import MODELS, judged_folder

K = 10
SCRIPTS = ("en", "zh_hant")
TASKS = ("furniture, all parts", "families, paraphrases, upright")
NUMBERS = 50  # parts asked for by their numbers
WEIGHTS = (0.3, 0.6, 1.0, 1.5)
SHARES = (None, 0.3, 0.5, 0.7)  # None: not asked in other words

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Item:
    """A part of the catalogue; `called` is every name of what it is, folded."""

    name: str
    name_zh: str
    called: frozenset[str]

    def number(self, place: int) -> str:
        return f"R{8_100_000 + place}"


@dataclass(frozen=True)
class Question:
    """A query and the places of the parts that are right."""

    group: str
    text: str
    relevant: frozenset[int]


@dataclass(frozen=True)
class Setting:
    """How a question is answered. `share` None: in no other words; weights None: as configured."""

    engine: str  # "" is all together
    weight: float | None = None
    share: float | None = None

    @property
    def label(self) -> str:
        if self.engine:
            return f"{self.engine} alone"
        return f"together, mini {self.weight}"


# --- what is asked of what -----------------------------------------------------------------


def items_load(
    encoder: MiniEncoder, folder: Path, *, most: int | None
) -> tuple[list[Item], NDArray[np.float32], list[Question]]:
    """p parts, their rows among words (p, dw), and the questions, at most `most` of a group."""
    furniture = furniture_gallery(encoder, folder)
    families = families_gallery(encoder, folder, split="validation", turned="upright")
    rows = [parts_embed(encoder, gallery) for gallery in (furniture, families)]
    named = furniture_parts()
    items = [
        item_make(named[part.key].captions, named[part.key].captions) for part in furniture.parts
    ]
    for part in families.parts:
        family = FAMILIES[part.kind]
        items.append(item_make(family.phrases, family.held_out))
    tasks = [
        *furniture_tasks(furniture, rows[0], "validation"),
        *families_tasks(families, rows[1], "upright"),
    ]
    asked = {
        f"{task.name.split(',')[0]} {task.script}": task.queries
        for task in tasks
        if task is not None and task.name in TASKS and task.script in SCRIPTS
    }
    return items, np.concatenate(rows), questions_make(asked, items, most=most)


def item_make(names: Phrases, others: Phrases) -> Item:
    """A part that bears the first of `names` in each script and may be called all the rest."""
    every = (text for phrases in (names, others) for script in phrases for text in script)
    return Item(
        name=names.en[0],
        name_zh=(names.zh_hant or ("",))[0],
        called=frozenset(map(fold, every)),
    )


def questions_make(
    asked: Mapping[str, Sequence[str]], items: Sequence[Item], *, most: int | None
) -> list[Question]:
    """Every query that something answers to; of a group of more than `most`, some at random."""
    rng = np.random.default_rng(0)
    questions = []
    for group, texts in asked.items():
        for text in rng.permutation(np.array(texts, object))[:most].tolist():
            meant = fold(text)
            right = frozenset(place for place, item in enumerate(items) if meant in item.called)
            if right:
                questions.append(Question(group, text, right))
    return questions


def numbers_asked(items: Sequence[Item]) -> list[Question]:
    """Parts asked for by number, and by number and name; only the part itself is right."""
    places = np.random.default_rng(1).permutation(len(items))[:NUMBERS].tolist()
    return [
        Question(group, f"{items[place].number(place)}{ending}", frozenset([place]))
        for place in places
        for group, ending in (("number", ""), ("number and name", f" {items[place].name}"))
    ]


# --- the catalogue -------------------------------------------------------------------------


def catalogue_fill(items: Sequence[Item], rows: NDArray[np.float32]) -> list[int]:
    """Ready parts without names, each with its row among words; their ids."""
    from catalog.models import Part
    from search import encoders
    from search.embeddings import space_row
    from search.models import Embedding, Space

    parts = Part.objects.bulk_create(
        Part(
            number=item.number(place), file=f"meshes/{place}.stl", file_name=f"{place}.stl",
            file_size=1, sha256=f"{place:064x}", status="ready",
        )
        for place, item in enumerate(items)
    )  # fmt: skip
    space = space_row(encoders.words_space("mini"))
    Embedding.objects.bulk_create(
        Embedding(space=space, part=part, seq=seq, views=1, vectors=row.astype("<f2").tobytes())
        for seq, (part, row) in enumerate(zip(parts, rows, strict=True), space.last_seq + 1)
    )
    Space.objects.filter(pk=space.pk).update(last_seq=space.last_seq + len(parts))
    return [part.pk for part in parts]


def catalogue_name(items: Sequence[Item], ids: Sequence[int], named: NDArray[np.bool_]) -> None:
    """Give the parts at `named` (p,) their names, and all others one that says nothing."""
    from catalog.models import Part, PartTerm
    from catalog.words import terms_of

    parts = Part.objects.in_bulk(ids)
    for place, (item, pk) in enumerate(zip(items, ids, strict=True)):
        anonymous = f"part-{place + 1:04}"
        part = parts[pk]
        part.name, part.name_zh = (item.name, item.name_zh) if named[place] else (anonymous, "")
        part.file_name = f"{anonymous}.stl"
    Part.objects.bulk_update(parts.values(), ["name", "name_zh", "file_name"], batch_size=500)
    PartTerm.objects.filter(part__in=ids).delete()
    PartTerm.objects.bulk_create(
        (
            PartTerm(part=part, term=term, weight=weight)
            for part in parts.values()
            for term, weight in terms_of(part).items()
        ),
        batch_size=5000,
    )


def catalogues(parts: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """What a catalogue is called, and which of its parts have names."""
    place = np.random.default_rng(2).permutation(parts)
    yield "anonymous", place < 0
    yield "every second part named", place % 2 == 0
    yield "all named", place >= 0


def encoder_copy(models: Path, calibrated: Path, into: Path) -> bool:
    """The files of `models` with the calibration of `calibrated`; False when that has none."""
    shutil.copytree(models, into)
    manifest = json.loads((into / MANIFEST).read_text(encoding="utf-8"))
    held = json.loads((calibrated / MANIFEST).read_text(encoding="utf-8"))["mini"]
    manifest["mini"]["calibration"] = held.get("calibration", {})
    (into / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return "text" in manifest["mini"]["calibration"]


@contextmanager
def configured(**sections: Mapping[str, object]) -> Iterator[None]:
    """The configuration with some keys of some sections changed, while the block lasts."""
    from django.conf import settings
    from django.test import override_settings

    held = settings.SEARCH
    changed = {
        name: getattr(held, name).model_copy(update=dict(keys)) for name, keys in sections.items()
    }
    with override_settings(SEARCH=held.model_copy(update=changed)):
        yield


# --- the run -------------------------------------------------------------------------------


def settings_swept() -> list[Setting]:
    """Each ranking alone, then together: every weight, and every share at the weight configured."""
    from django.conf import settings

    share = settings.SEARCH.expansion.share
    weight = settings.SEARCH.search.text_weights["mini"]
    together = [Setting("", one, share) for one in WEIGHTS]
    together += [Setting("", weight, one) for one in SHARES]
    return [Setting("words", None, share), Setting("mini", None, share), *dict.fromkeys(together)]


def questions_ask(
    questions: Sequence[Question], ids: Sequence[int], setting: Setting
) -> list[Floats]:
    """Of each question, whether each of the first K hits is right."""
    from django.conf import settings

    from search.query import Query
    from search.services import search_run

    search, expansion = {}, {"enabled": setting.share is not None}
    if setting.weight is not None:
        search["text_weights"] = {**settings.SEARCH.search.text_weights, "mini": setting.weight}
    if setting.share is not None:
        expansion["share"] = setting.share
    places = {pk: place for place, pk in enumerate(ids)}
    with configured(search=search, expansion=expansion):
        answers = [
            search_run(Query("text", text=question.text, k=K, engine=setting.engine)).results
            for question in questions
        ]
    return [
        np.array([places[hit.part.pk] in question.relevant for hit in hits], np.float64)
        for question, hits in zip(questions, answers, strict=True)
    ]


def measures(questions: Sequence[Question], right: Sequence[Floats]) -> dict[str, Floats]:
    """nDCG@10 and success at 10 and at 1, a value a question."""
    return {
        "nDCG@10": np.array(
            [
                metrics.ndcg_at_k(row, K, ideal=np.ones(len(question.relevant)))
                for question, row in zip(questions, right, strict=True)
            ]
        ),
        "S@10": np.array([row.any() for row in right], np.float64),
        "S@1": np.array([row[:1].any() for row in right], np.float64),
    }


def row_make(
    setting: Setting, questions: Sequence[Question], right: Sequence[Floats]
) -> list[object]:
    """A row of the table: nDCG@10 and S@10 of each group, S@1 of numbers, the groups' mean."""
    values = measures(questions, right)
    groups = np.array([question.group for question in questions])
    cells: list[object] = []
    means = []
    for group in dict.fromkeys(groups.tolist()):
        of = groups == group
        if group.startswith("number"):
            cells.append(f"{values['S@1'][of].mean():.2f}")
            continue
        means.append(values["nDCG@10"][of].mean())
        cells += [interval(values[measure][of]) for measure in ("nDCG@10", "S@10")]
    share = "off" if setting.share is None else setting.share
    return [setting.label, share, f"{np.mean(means):.3f}", *cells]


def interval(values: Floats) -> str:
    low, high = metrics.bootstrap_interval(values)
    return f"{values.mean():.3f} ({low:.2f}-{high:.2f})"


def headers_make(questions: Sequence[Question]) -> list[str]:
    headers = ["answered by", "other words", "mean nDCG@10"]
    for group in dict.fromkeys(question.group for question in questions):
        several = [f"{group} {measure}" for measure in ("nDCG@10", "S@10")]
        headers += [f"{group} S@1"] if group.startswith("number") else several
    return headers


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=judged_folder("validation"))
    parser.add_argument("--calibration", type=Path, default=MODELS, help="whose manifest has it")
    parser.add_argument("--most", type=int, default=60, help="questions of a group")
    chosen = parser.parse_args(arguments)
    with running.data_folder() as folder:
        from django.conf import settings

        weights = folder / "encoder"
        if not encoder_copy(chosen.models, chosen.calibration, weights):
            print("No calibration of text: a similarity stands for its strength.")
        encoder = MiniEncoder(weights)
        items, rows, questions = items_load(encoder, weights, most=chosen.most)
        questions += numbers_asked(items)
        mini = settings.SEARCH.engines["mini"].model_copy(update={"weights": str(weights)})
        settings.SEARCH = settings.SEARCH.model_copy(update={"engines": {"mini": mini}})
        ids = catalogue_fill(items, rows)
        print(f"{encoder.words_space.key}, {len(items)} parts, {len(questions)} questions")
        for name, named in catalogues(len(items)):
            catalogue_name(items, ids, named)
            table = [
                row_make(setting, questions, questions_ask(questions, ids, setting))
                for setting in settings_swept()
            ]
            print(f"\n{name}\n\n{running.table(headers_make(questions), table)}", flush=True)


if __name__ == "__main__":
    main()
