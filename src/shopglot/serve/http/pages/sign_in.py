"""Signing in on a page: an API key is pasted once, and the browser keeps a session in its place."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response

from shopglot.serve.http.pages.addresses import SIGN_IN, SIGN_OUT, own_address
from shopglot.serve.http.pages.site import form_of, render
from shopglot.serve.http.service import Serving
from shopglot.serve.http.sessions import COOKIE

router: Final = APIRouter(include_in_schema=False)


@router.get(SIGN_IN)
async def sign_in(request: Request, service: Serving, next: str = "/") -> Response:
    """Ask for a key, where one is needed."""
    if service.sessions is None:
        return RedirectResponse(own_address(next), 303)
    return render(request, "sign_in.html.j2", next=own_address(next), refused=False)


@router.post(SIGN_IN)
async def signed_in(request: Request, service: Serving) -> Response:
    """Begin a session, and go where the person wanted to."""
    form = await form_of(request)
    wanted = own_address(form.get("next", "/"))
    if service.sessions is None:
        return RedirectResponse(wanted, 303)
    token = service.sessions.begin(form.get("key", "").strip())
    if token is None:
        return render(request, "sign_in.html.j2", status=403, next=wanted, refused=True)
    service.sessions.end(Headers(scope=request.scope))  # the one that the browser had
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


@router.post(SIGN_OUT)
async def sign_out(request: Request, service: Serving) -> Response:
    """End the session."""
    if service.sessions is not None:
        service.sessions.end(Headers(scope=request.scope))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
