"""What the services say to users of the page and of the API. The engine's own errors bring their own sentences."""

from __future__ import annotations

from lib_extend.errors import Message

BUG = Message(
    "bug",
    "Something went wrong inside Prompt Extend ({kind}): the server's log says where; please report it.",
)

# members of a request
NEEDED = Message("needed", "{name} is needed.")
MUST_BE = Message("must_be", "{name} must be {what}.")
BOUNDS = Message("bounds", "{name} must be from {low} to {high}.")
ONE_OF = Message("one_of", "{name} is {value!r}, but must be one of: {choices}.")

# folders
NO_PATH = Message("no_path", "Name a folder.")
NOT_ABSOLUTE = Message("not_absolute", "{path} is no complete path: give one that begins with {begins}.")
STRANGE_PATH = Message("strange_path", "{path} cannot be a folder here.")
NO_FOLDER = Message("no_folder", "There is no folder {path}: check the path.")
NOT_ALLOWED = Message(
    "not_allowed",
    "{path} may not be used, because this server can be reached by others: start it with --prompt-extend-root "
    "{path}, or choose one of the folders named so.",
)
NO_ROOTS = Message(
    "no_roots",
    "No folder may be used, because this server can be reached by others: start it with --prompt-extend-root FOLDER.",
)
OUTSIDE = Message(
    "outside",
    "{path} leads outside of the folders that may be used: open its target first, or remove the link.",
)
CLOSED = Message("closed", "This folder is not open (the server was restarted?): open it first.")
NO_IMAGE = Message("no_image", "There is no image {name} in this folder: it was renamed or deleted.")
SHARED_MODEL = Message(
    "shared_model",
    "{name} must be a model's name, because this server can be reached by others: folders and addresses may be given "
    "only on the machine itself, or below a --prompt-extend-root folder.",
)
NO_RUN = Message("no_run", "There is no run {run} on this folder.")

# jobs
NO_JOB = Message("no_job", "There is no job {job}: the server was restarted, or it ended long ago.")
BUSY_FOLDER = Message("busy_folder", "A job on {name} is {state}: stop it before another one begins.")
TOO_MANY_JOBS = Message("too_many_jobs", "{count} jobs are running: wait until one has ended.")
NOT_RUNNING = Message("not_running", "The job is not running, so it cannot be {verb}.")
NOT_PAUSED = Message("not_paused", "The job is not paused, so it cannot go on.")
CANNOT_PAUSE = Message("cannot_pause", "A job of the kind {kind} cannot be paused.")
WAITS_FOR_MODELS = Message("waits_for_models", "waiting for the models: {name} is being worked on")
NO_OPTION = Message("no_option", "A job of the kind {kind} has no {name}; it has: {known}.")
BAD_OPTION = Message("bad_option", "The options of the job {kind} cannot be used: {reason}.")
NO_NAMES = Message("no_names", "names is empty: leave it out to take all images.")
HOST_MODEL_GOES = "unloading the WebUI's model"
HOST_MODEL_STAYS = "the WebUI's model could not be unloaded ({reason})"
NO_HOST_MODEL = Message("no_host_model", "There is no WebUI here whose model could be unloaded.")

# machine
ENVIRONMENT_BUSY = Message(
    "environment_busy", "The models' environment is being changed already: wait, or stop it."
)
ENVIRONMENT_IDLE = Message("environment_idle", "Nothing is being done with the models' environment.")
MODELS_FAILED = Message(
    "models_failed", "The models cannot be listed ({reason}): repair the models' environment."
)
ANALYSIS_BUSY = Message("analysis_busy", "Other pictures are waiting to be analysed: try again in a moment.")
NO_TAGGER = Message("no_tagger", "A picture without a tagger has no tags to ask about: choose a tagger.")

# presets and questions
PRESET_NAME = Message(
    "preset_name",
    "A preset's name has 1 to 64 characters, none of them / \\ : * ? \" < > |, and does not begin or end with a dot "
    "or a blank.",
)
NO_QUESTION_TEXT = Message(
    "no_question_text", "Send one of text (a question in one line) and toml (a question file)."
)

# generation
NO_LORA = Message(
    "no_lora", "There is no LoRA called {name} in the WebUI's folders: choose another one, or get it."
)
NO_LORA_FOLDER = Message(
    "no_lora_folder",
    "Here is no WebUI with a folder of LoRAs: start this from the WebUI, or put the file there by hand.",
)
NO_FILE = Message("no_file", "There is no file {path}: check the path.")
NO_OFFER = Message("no_offer", "This file is not offered any more: look again at what there is.")
NO_DOWNLOAD = Message(
    "no_download", "There is no download {id}: the server was restarted, or it ended long ago."
)
TOO_MANY_DOWNLOADS = Message(
    "too_many_downloads", "{count} LoRAs are being downloaded: wait until one is here."
)
CHECK_MODELS = Message(
    "check_models",
    "The tagger {tagger} and the detector {detector}, with which a picture is checked, cannot be loaded: look at a "
    "picture with persons in the Prompt Extend tab once, which gets them and says what is wrong.",
)

# questions
THE_QUESTION = "The question"
QUESTION_NAME = Message(
    "question_name",
    "name: a question is called by a-z, 0-9 and _, at most 64 of them, and not as Windows calls its devices.",
)

# review
GROUPS = {
    "models": "Models",
    "questions": "Questions",
    "prose": "Descriptions",
    "people": "Who has which",
    "tags": "Tags",
    "curation": "What captions leave out",
    "caption": "Caption",
    "images": "Images",
    "run": "Run",
}
