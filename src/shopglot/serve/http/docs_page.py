"""The description of the HTTP interface as a page, without a script and without another host."""

import json
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, PackageLoader, select_autoescape

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


async def docs(request: Request) -> Response:
    """Return the page."""
    app: FastAPI = request.app
    described = app.openapi()
    operations = [
        {"path": path, "method": method.upper(), **operation, "body": _example(operation, described)}
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    page = _pages().get_template("docs.html").render(title=described["info"]["title"], operations=operations)
    return Response(page, media_type="text/html", headers={"content-security-policy": _POLICY})


def _example(operation: dict[str, Any], described: dict[str, Any]) -> str | None:
    """Return an example of the body an operation wants, None where it wants none."""
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return json.dumps(_value(schema, described), indent=2, ensure_ascii=False)


def _value(schema: dict[str, Any], described: dict[str, Any]) -> Any:
    """Return a value of a schema: its example or default, and of objects those of its fields."""
    if "$ref" in schema:
        named = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return _value(named, described)
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if schema.get("type") == "object":
        return {name: _value(each, described) for name, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_value(schema.get("items", {}), described)]
    return _PLAIN.get(schema.get("type", ""))


_PLAIN: Final = {"string": "…", "integer": 0, "number": 0.5, "boolean": False}


def _pages() -> Environment:
    return Environment(loader=PackageLoader("shopglot.serve.http"), autoescape=select_autoescape(), trim_blocks=True)
