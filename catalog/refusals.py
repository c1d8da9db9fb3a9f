"""How the API says no: `{"success": false, "error": {"code", "message"}}`, translated."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.utils.translation import gettext as _
from rest_framework.response import Response
from rest_framework.views import exception_handler

from catalog.errors import ServiceError, sentence

log = logging.getLogger(__name__)

# The database is away, ended the connection, or was locked for too long.
DATABASE_AWAY = (OperationalError, InterfaceError)


def refusal(code: str, message: str, status: int, **headers: str) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status, headers=headers)


def error_body(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "error": {"code": code, "message": message}}


def exception_handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal of the API as `{"success": false, "error": {"code", "message"}}`."""
    match error:
        case ServiceError():
            return Response(error_body(error.code, str(error)), status=error.status)
        case RequestDataTooBig() | TooManyFilesSent():
            return Response(error_body("too_large", _("The request is too large.")), status=413)
        case DjangoValidationError():
            return Response(error_body("invalid", " ".join(error.messages)), status=400)
        case Http404():
            return Response(error_body("not_found", _("There is nothing here.")), status=404)
        case PermissionDenied():
            return Response(error_body("forbidden", _("You may not do this.")), status=403)
    response = exception_handler(error, context)
    if isinstance(error, DATABASE_AWAY):
        log.exception("an API call failed", exc_info=error)
        return Response(error_body("database_away", sentence("database_away", {})), status=503)
    if response is None:
        log.exception("an API call failed", exc_info=error)
        return Response(error_body("internal", _("Something went wrong on our side.")), status=500)
    code = getattr(error, "default_code", "invalid")
    response.data = error_body(code, first_sentence(getattr(error, "detail", error)))
    return response


def first_sentence(detail: Any) -> str:
    """The first message in DRF's nested error detail, with its field named."""
    if isinstance(detail, dict):
        field, inner = next(iter(detail.items()))
        message = first_sentence(inner)
        return message if field == "non_field_errors" else f"{field}: {message}"
    if isinstance(detail, list):
        return first_sentence(detail[0]) if detail else ""
    return str(detail)
