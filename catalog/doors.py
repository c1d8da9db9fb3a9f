"""Who may do what.

Every API view declares `scopes`, a scope for each method it answers; a view without one is closed,
and a test walks the URLs to see that none is. A person's session holds `read` and `write` (staff:
`admin` too); a token holds what it was made with.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from catalog.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView

# A token's last use is written at most this often: reading must not become writing.
TOUCH_EVERY = timedelta(minutes=5)


class TokenUser:
    """A machine that came with a token of no person's."""

    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False
    pk = id = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    def __str__(self) -> str:
        return self.token.name


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`."""

    keyword: ClassVar[str] = "Token"

    def authenticate(self, request: Request | HttpRequest) -> tuple[Any, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        if len(words) != 2:
            raise exceptions.AuthenticationFailed(_("Write the header as: Token <key>."))
        digest = ApiToken.digest_of(words[1].decode("latin-1"))
        token = ApiToken.objects.select_related("user").filter(digest=digest).first()
        now = timezone.now()
        if token is None or (token.user and not token.user.is_active):
            raise exceptions.AuthenticationFailed(_("This token is not known."))
        if token.expires_at and token.expires_at <= now:
            raise exceptions.AuthenticationFailed(_("This token has expired."))
        if token.last_used_at is None or now - token.last_used_at > TOUCH_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user or TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


def scopes_held(request: Request | HttpRequest, token: ApiToken | None) -> set[str]:
    """The scopes this request comes with."""
    if token is not None:
        held = set(token.scopes)
        return held | {"read", "write"} if "admin" in held else held
    user = request.user
    if user.is_authenticated:
        return {"read", "write", "admin"} if user.is_staff else {"read", "write"}
    return {"read"} if settings.READING_OPEN else set()


class ScopePermission(BasePermission):
    """The view's scope for this method is among the request's."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method == "OPTIONS":
            return True
        method = "GET" if request.method == "HEAD" else str(request.method)
        needed = getattr(view, "scopes", {}).get(method)
        if needed is None:
            raise exceptions.MethodNotAllowed(method)
        token = request.auth if isinstance(request.auth, ApiToken) else None
        if needed == "open" or needed in scopes_held(request, token):
            return True
        if request.user.is_authenticated:
            self.message = _("This needs the scope “%(scope)s”.") % {"scope": needed}
        return False


def may_read(request: HttpRequest) -> bool:
    """Whether a request for a page or a picture may be answered: reading open, a login, a token."""
    if settings.READING_OPEN or request.user.is_authenticated:
        return True
    try:
        found = TokenAuthentication().authenticate(request)
    except exceptions.AuthenticationFailed:
        return False
    return found is not None and "read" in scopes_held(request, found[1])


def way_in(request: HttpRequest) -> HttpResponse:
    """To the login, and from there back to the page that somebody looked at."""
    shown = redirect_to_login(_page_of(request))
    if request.htmx:
        # A script is told where to go instead of being handed the login's page.
        return HttpResponse(status=204, headers={"HX-Redirect": shown["Location"]})
    return shown


def _page_of(request: HttpRequest) -> str:
    """The page from which this was asked: the address of a button or a piece answers no visit.

    The start where nothing says it.
    """
    if request.method in ("GET", "HEAD") and not request.htmx:
        return request.get_full_path()
    if request.htmx and request.htmx.current_url_abs_path:
        return str(request.htmx.current_url_abs_path)
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, allowed_hosts={request.get_host()}):
        return reverse("search")
    return urlsplit(referer)._replace(scheme="", netloc="").geturl()
