"""Tables for spreadsheets: what every CSV that is written here has in common."""

from typing import Any

# Spreadsheets take what begins with these for a formula: a name must not become one.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Without it spreadsheets guess another encoding than UTF-8.
MARK = "\ufeff"


class Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def cell(value: Any) -> str:
    """One line of text that no spreadsheet takes for a formula."""
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(FORMULA) else text
