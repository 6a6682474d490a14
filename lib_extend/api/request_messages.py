"""Messages about a request itself: who may send it, and in which form."""

from __future__ import annotations

from lib_extend.errors import Message

# who may send requests
HOST = Message(
    "host",
    "This server was reached under the name {host}, which it does not know: open it by its address, set "
    "--gradio-auth, or name it in PROMPT_EXTEND_HOSTS.",
)
ORIGIN = Message("origin", "This request comes from another site ({origin}) and is refused.")
LOGIN = Message("login", "Log in first: this server asks for a name and a password.")
JSON_ONLY = Message("json_only", "Send the request as application/json, not as {kind}.")
TOO_LARGE = Message("too_large", "The request is larger than {limit} bytes, the most that is taken.")
LENGTH = Message("length", "The request's length cannot be understood.")
NOT_JSON = Message("not_json", "The request's body is no JSON: {reason}.")
NOT_FORM = Message("not_form", "The form cannot be read: send it as multipart/form-data with its boundary.")
NOT_OBJECT = Message("not_object", "The request's body must be a JSON object.")
NO_ROUTE = Message(
    "no_route", "There is nothing at {path}; GET /prompt-extend/v1/docs.md lists what there is."
)
NO_METHOD = Message("no_method", "{method} cannot be used on {path}.")

# members of a request
UNKNOWN = Message("unknown", "There is no member called {name!r} here; there are: {known}.")

FILTER_OR_IDS = Message("filter_or_ids", "Send one of filter and ids, not both.")
TOO_MANY_PICTURES = Message("too_many_pictures", "Too many pictures are asked for at once: ask again.")
NO_PICTURE = Message(
    "no_picture",
    "Send a picture: as the part `image` of a form, or as the path of an image in an open folder.",
)

# who may use a route
TRUSTED = Message(
    "trusted",
    "{what}, because this server can be reached by others without a login: do it on the machine itself, or set "
    "--gradio-auth.",
)
SLOW = Message("slow", "The request's body did not arrive in time.")
