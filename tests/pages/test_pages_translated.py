"""Every sentence that people see is in both languages, and what is compiled is what is written."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

LOCALES = ["en", "zh_Hant"]
ROOMS = ["catalog", "search", "workers", "stlcatalog"]
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")$')


def entries(locale: str) -> Iterator[dict[str, str]]:
    """The entries of a .po file: {"msgid": ..., "msgstr" or "msgstr[0]": ...}."""
    path = settings.BASE / "locale" / locale / "LC_MESSAGES" / "django.po"
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        entry: dict[str, str] = {}
        for line in block.splitlines():
            if found := ENTRY.match(line):
                key = found[1]
                entry[key] = ast.literal_eval(found[2])
            elif line.startswith('"'):
                entry[key] += ast.literal_eval(line)
            elif "fuzzy" in line:
                entry["fuzzy"] = line
        if entry.get("msgid"):
            yield entry


def strings_of(tree: ast.AST) -> Iterator[str]:
    """Every literal handed to gettext in a Python source."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        first = node.args[0]
        if name in CALLS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def sources() -> Iterator[tuple[Path, str]]:
    for room in ROOMS:
        for path in sorted((settings.BASE / room).rglob("*.py")):
            for string in strings_of(ast.parse(path.read_text(encoding="utf-8"))):
                yield path, string
    for path in sorted((settings.BASE / "templates").rglob("*.html")):
        # Django's own step before xgettext: what is translated becomes gettext calls.
        source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        for found in re.finditer(
            r"""gettext\(\s*u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", source
        ):
            yield path, ast.literal_eval(found[1])
        for found in re.finditer(r"""\b_\(("[^"]*"|'[^']*')\)""", source):
            yield path, ast.literal_eval(found[1])


@pytest.mark.parametrize("locale", LOCALES)
def test_every_string_of_the_code_is_in_the_catalogue(locale: str) -> None:
    known = {entry["msgid"] for entry in entries(locale)}
    missing = {(path.name, string) for path, string in sources() if string not in known}
    assert missing == set(), "run: manage.py makemessages -l en -l zh_Hant"


@pytest.mark.parametrize("locale", LOCALES)
def test_no_sentence_is_left_empty_or_guessed(locale: str) -> None:
    for entry in entries(locale):
        said = [text for key, text in entry.items() if key.startswith("msgstr")]
        assert said, entry
        assert all(said), entry
        assert "fuzzy" not in entry, entry


@pytest.mark.parametrize("locale", LOCALES)
def test_placeholders_survive_translation(locale: str) -> None:
    holders = re.compile(r"%\(\w+\)s|{\w+}")
    for entry in entries(locale):
        wanted = set(holders.findall(entry["msgid"]))
        for key, text in entry.items():
            if key.startswith("msgstr"):
                assert set(holders.findall(text)) == wanted, entry


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_compiled_is_what_is_written(locale: str) -> None:
    path = settings.BASE / "locale" / locale / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert {key if isinstance(key, str) else key[0] for key in compiled._catalog} - {""} == {
        entry["msgid"] for entry in entries(locale)
    }
    for entry in entries(locale):
        if "msgid_plural" in entry:
            said = compiled.ngettext(entry["msgid"], entry["msgid_plural"], 1)
            assert said == entry["msgstr[0]"]
        else:
            assert compiled.gettext(entry["msgid"]) == entry["msgstr"]
