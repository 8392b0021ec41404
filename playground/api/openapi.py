"""What every operation has in common, added to the OpenAPI document that ninja makes."""

import copy
from typing import Any

from playground.api.problems import MEDIA_TYPE
from playground.api.schemas import FieldProblem, Problem

Document = dict[str, Any]

_PROBLEMS = {
    "400": "The request can't be understood.",
    "401": "No valid key, and not signed in.",
    "403": "Not allowed: CSRF, or the machine's own file rights.",
    "404": "Not there, or somebody else's.",
    "405": "Another method.",
    "406": "Nothing that the caller accepts.",
    "409": "Not in a state for that; see `code`.",
    "413": "Too large.",
    "415": "Not application/json.",
    "422": "A value that can't be; `errors` says which.",
    "429": "Too many: see Retry-After.",
    "500": "Our fault; logged under the request id.",
    "502": "The engine refused, or broke its protocol.",
    "503": "A part does not answer, or is full; retry.",
    "507": "No space left in the machine.",
}
_PUBLIC = frozenset({"/api/v1/healthz", "/api/v1/readyz"})
_HEADERS = {
    "X-Request-ID": {"description": "Finds this request in the log.", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "Requests a minute.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Requests left in this minute.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Seconds until the next minute begins.", "schema": {"type": "integer"}},
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_LOCATION = {"Location": {"description": "Path of what was made.", "schema": {"type": "string"}}}
# Described here and named by the operations that take them, not declared there: whether a key was used before is
# nothing that a schema can say, and tools that make up requests would use one key for different requests.
_PARAMETERS = {
    "IdempotencyKey": {
        "in": "header",
        "name": "Idempotency-Key",
        "description": "On every POST. The same key and request get the same answer for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    },
    "Prefer": {
        "in": "header",
        "name": "Prefer",
        "description": "On `POST /sessions`: `wait=SECONDS`, up to 60.",
        "schema": {"type": "string", "pattern": "^wait=[0-9]{1,2}$"},
    },
}
SECURITY_SCHEMES = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `pg_…`."},
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "",
        "description": "The site's own cookie, as the browser has it; changes also need the header X-CSRFToken.",
    },
}


def complete(document: Document, cookie: str) -> Document:
    """The document with problems, headers, security and Idempotency-Key on every operation."""
    result = copy.deepcopy(document)
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (FieldProblem, Problem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["securitySchemes"] = copy.deepcopy(SECURITY_SCHEMES)
    components["securitySchemes"]["Cookie"]["name"] = cookie
    components["parameters"] = _PARAMETERS
    components["responses"] = {f"Problem{status}": _problem(status, text) for status, text in _PROBLEMS.items()}
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            _complete_operation(operation, method, public=path in _PUBLIC)
    return result


def _complete_operation(operation: Document, method: str, *, public: bool) -> None:
    responses = {str(status): response for status, response in operation["responses"].items()}
    for status, response in responses.items():
        headers = {"X-Request-ID": _HEADERS["X-Request-ID"]} if public else dict(_HEADERS)
        if status in ("201", "202"):
            headers |= _LOCATION
        response.setdefault("headers", {}).update(headers)
    for status in _PROBLEMS:
        if not public or status in ("400", "405", "413", "500"):
            responses.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    operation["responses"] = responses
    if public:
        return
    operation["security"] = [{name: []} for name in SECURITY_SCHEMES]
    if method == "post":
        operation["description"] = f"{operation.get('description', '')}\n\nTakes an `Idempotency-Key`.".strip()


def _problem(status: str, description: str) -> Document:
    headers = {"X-Request-ID": _HEADERS["X-Request-ID"]}
    if status in ("409", "429", "503"):
        headers |= _RETRY_AFTER
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "headers": headers, "content": content}
