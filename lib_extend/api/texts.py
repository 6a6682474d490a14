"""Sentences that the server says to users of the page and of the API. The engine's own errors bring theirs."""

from __future__ import annotations

BUG = "Something went wrong inside Prompt Extend ({kind}): the server's log says where; please report it."

# who may ask
HOST = (
    "This server was reached under the name {host}, which it does not know: open it by its address, set "
    "--gradio-auth, or name it in PROMPT_EXTEND_HOSTS."
)
ORIGIN = "This request comes from another site ({origin}) and is refused."
LOGIN = "Log in first: this server asks for a name and a password."
JSON_ONLY = "Send the request as application/json, not as {kind}."
TOO_LARGE = "The request is larger than {limit} bytes, the most that is taken."
LENGTH = "The request's length cannot be understood."
NOT_JSON = "The request's body is no JSON: {reason}."
NOT_FORM = "The form cannot be read: send it as multipart/form-data with its boundary."
NOT_OBJECT = "The request's body must be a JSON object."
NO_ROUTE = "There is nothing at {path}; GET /prompt-extend/v1/docs.md lists what there is."
NO_METHOD = "{method} cannot be used on {path}."

# members of a request
NEEDED = "{name} is needed."
UNKNOWN = "There is no member called {name!r} here; there are: {known}."
MUST_BE = "{name} must be {what}."
BOUNDS = "{name} must be from {low} to {high}."
ONE_OF = "{name} is {value!r}, but must be one of: {choices}."

# folders
NO_PATH = "Name a folder."
NOT_ABSOLUTE = "{path} is no complete path: give one that begins with {begins}."
STRANGE_PATH = "{path} cannot be a folder here."
NO_FOLDER = "There is no folder {path}: check the path."
NOT_ALLOWED = (
    "{path} may not be used, because this server can be reached by others: start it with --prompt-extend-root "
    "{path}, or choose one of the folders named so."
)
NO_ROOTS = "No folder may be used, because this server can be reached by others: start it with --prompt-extend-root FOLDER."
OUTSIDE = "{path} leads outside of the folders that may be used: open its target first, or remove the link."
CLOSED = "This folder is not open (the server was started anew?): open it first."
NO_IMAGE = "There is no image {name} in this folder: it was renamed or deleted."
SHARED_MODEL = (
    "{name} must be a model's name, because this server can be reached by others: folders and addresses may be given "
    "only on the machine itself, or below a --prompt-extend-root folder."
)
FILTER_OR_IDS = "Send one of filter and ids, not both."
NO_RUN = "There is no run {run} on this folder."
TOO_MANY_PICTURES = "Too many pictures are asked for at once: ask again."

# jobs
NO_JOB = "There is no job {job}: the server was started anew, or it ended long ago."
BUSY_FOLDER = "A job on {name} is {state}: stop it before another one begins."
TOO_MANY_JOBS = "{count} jobs are running: wait until one has ended."
NOT_RUNNING = "The job is not running, so it cannot be {verb}."
NOT_PAUSED = "The job is not paused, so it cannot go on."
CANNOT_PAUSE = "An undo cannot be paused."
NO_NAMES = "names is empty: leave it out to take all images."
HOST_MODEL_GOES = "unloading the WebUI's model"
HOST_MODEL_STAYS = "the WebUI's model could not be unloaded ({reason})"
NO_HOST_MODEL = "Here is no WebUI whose model could be unloaded."

# machine
ENVIRONMENT_BUSY = "The models' environment is being changed already: wait, or stop it."
ENVIRONMENT_IDLE = "Nothing is being done with the models' environment."
ENVIRONMENT_STOPPED = "Stopped."
MODELS_FAILED = "The models cannot be listed ({reason}): repair the models' environment."
ANALYSIS_BUSY = "Other pictures are waiting to be analysed: try again in a moment."
NO_TAGGER = "A picture without a tagger has no tags to ask about: choose a tagger."
NO_PICTURE = "Send a picture: as the part `image` of a form, or as the path of an image in an open folder."

# presets and questions
PRESET_NAME = (
    "A preset's name has 1 to 64 characters, none of them / \\ : * ? \" < > |, and does not begin or end with a dot "
    "or a blank."
)
NO_PRESET = "There is no preset called {name!r}."
PRESET_DAMAGED = "The preset {name!r} cannot be read ({reason}): delete it or mend its file."
NO_QUESTION_TEXT = "Send one of text (a question in one line) and toml (a question file)."

# generation
NO_LORA = "There is no LoRA called {name} in the WebUI's folders: choose another one, or get it."
NO_LORA_FOLDER = (
    "Here is no WebUI with a folder of LoRAs: start this from the WebUI, or put the file there by hand."
)
NO_FILE = "There is no file {path}: check the path."
NO_OFFER = "This file is not offered any more: look again at what there is."
NO_DOWNLOAD = "There is no download {id}: the server was started anew, or it ended long ago."
TOO_MANY_DOWNLOADS = "{count} LoRAs are being downloaded: wait until one is here."
CHECK_MODELS = (
    "The tagger {tagger} and the detector {detector}, with which a picture is checked, cannot be loaded: look at a "
    "picture with persons in the Prompt Extend tab once, which gets them and says what is wrong."
)
SHARED_LORA = (
    "Files cannot be put into the LoRA folder, because this server can be reached by others without a login: do it on "
    "the machine itself, or set --gradio-auth."
)

# questions
THE_QUESTION = "The question"
QUESTION_NAME = (
    "name: a question is called by a-z, 0-9 and _, at most 64 of them, and not as Windows calls its devices."
)
NO_QUESTION = "There is no question of yours called {name}."

# review
NOT_ANALYSED = "{name} was not analysed with these models and questions yet: tag or preview it first."

GROUPS = {
    "models": "Models",
    "questions": "Questions",
    "people": "Who has which",
    "tags": "Tags",
    "caption": "Caption",
    "images": "Images",
    "run": "Run",
}
