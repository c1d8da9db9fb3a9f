"""What the REST doors read more strictly than their framework does: JSON, and files."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonParser(JSONParser):
    """JSON. What is nested deeper than Python reads is refused, as what is no JSON is."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error


class OneFileField(serializers.FileField):
    """One file, an empty one too: the services say what is wrong with it.

    A second one of the same name is refused, where the framework would lose the first in silence.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_empty_file=True, max_length=1000, **options)

    def get_value(self, dictionary: Any) -> Any:
        files = dictionary.getlist(self.field_name) if hasattr(dictionary, "getlist") else ()
        return files if len(files) > 1 else super().get_value(dictionary)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > 1:
            raise serializers.ValidationError(_("Send one file at a time."))
        return super().to_internal_value(data)
