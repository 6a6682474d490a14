"""Where LoRAs can be downloaded: the current files of a GitHub project's releases and of a Civitai model's page.

No file name, size or hash is stored here; all are requested. httpx comes with every host's Gradio and is imported at
the first request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_extend.errors import UserError
from lib_extend.files import outside_json
from lib_extend.files.downloading import Refused, client
from lib_extend.generation.lora_files import BACKGROUND, SEPARATION, SUFFIX

if TYPE_CHECKING:
    import httpx

GITHUB = "https://api.github.com"
CIVITAI = "https://civitai.com"
PUBLISHED_REPO = "RimoChan/danbooru-prompt-extend"
PUBLISHED_MODELS = {BACKGROUND: 1076462, SEPARATION: 1125124}
"""Numbers of the published LoRAs' pages on Civitai."""

_MAX_ANSWER = 32 * 1024 * 1024
_MAX_PAGES = 10

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Offer:
    """A file that can be downloaded.

    Attributes:
        name: a file name that is safe here. url: where it is.
        size: bytes, 0 when it is not said. sha256: 64 lower-case digits, "" when it is not said.
        version: of the release or the model. base: the checkpoint it was made for, "" when it is not said.
        source: the name of the site, for people.
    """

    name: str
    url: str
    size: int = 0
    sha256: str = ""
    version: str = ""
    base: str = ""
    source: str = ""


def github(repo: str = PUBLISHED_REPO, *, base: str = GITHUB, token: str = "") -> list[Offer]:
    """The LoRA files of a project's releases, the newest first.

    Raises:
        UserError: offline, no such project, asked too often.
    """
    url: str | None = f"{base}/repos/{repo}/releases?per_page=100"
    offers: list[Offer] = []
    with client(_login(token)) as http:
        for _ in range(_MAX_PAGES):
            if url is None:
                break
            releases, url = _ask(http, url, {"Accept": "application/vnd.github+json"})
            for release in _dicts(releases):
                for asset in _dicts(release.get("assets")):
                    if asset.get("state", "uploaded") == "uploaded":
                        offers += _offer(
                            base,
                            name=asset.get("name"),
                            url=asset.get("browser_download_url"),
                            size=asset.get("size"),
                            # given since 2025: "sha256:…"
                            sha256=str(asset.get("digest") or "").removeprefix("sha256:"),
                            version=release.get("tag_name"),
                            source=f"GitHub, {repo}",
                        )
    return offers


def civitai(model: int, *, base: str = CIVITAI, token: str = "") -> list[Offer]:
    """The LoRA files of a model's page, the newest version first. Raises UserError as `github` does."""
    with client(_login(token)) as http:
        page, _ = _ask(http, f"{base}/api/v1/models/{int(model)}", {})
    if not isinstance(page, dict):
        raise _unknown(base)
    offers: list[Offer] = []
    for version in _dicts(page.get("modelVersions")):
        for file in _dicts(version.get("files")):
            hashes = file.get("hashes")
            size = file.get("sizeKB")
            if file.get("type", "Model") == "Model":
                offers += _offer(
                    base,
                    name=file.get("name"),
                    url=file.get("downloadUrl") or version.get("downloadUrl"),
                    size=round(size * 1024) if isinstance(size, (int, float)) and 0 <= size < 1e12 else 0,
                    sha256=hashes.get("SHA256") if isinstance(hashes, dict) else "",
                    version=version.get("name"),
                    base_model=version.get("baseModel"),
                    source=f"Civitai, {page.get('name') or model}",
                )
    return offers


def file_name(name: str) -> str:
    """A safe file name made from a remote one; "" when it is not the name of a LoRA."""
    name = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    if not name.lower().endswith(SUFFIX) or len(name) == len(SUFFIX):
        return ""
    stem = name[: -len(SUFFIX)].strip(" .")[:120]
    return f"_{stem}{SUFFIX}" if _RESERVED.fullmatch(stem) else f"{stem}{SUFFIX}"


def _login(token: str) -> dict[str, str]:
    """The login header."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def _ask(http: httpx.Client, url: str, headers: Mapping[str, str]) -> tuple[Any, str | None]:
    """A page as JSON, and the address of the next."""
    import httpx as network

    data = bytearray()
    try:
        with http.stream("GET", url, headers=dict(headers)) as response:
            if not response.is_success:
                raise Refused(response.request.url.host, response.status_code, dict(response.headers))
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > _MAX_ANSWER:
                    raise _unknown(url)
            following = response.links.get("next", {}).get("url")
        return outside_json.loads(data), following
    except Refused as e:
        raise refused(e) from None
    except network.RequestError as e:
        raise unreachable(url, e) from None
    except ValueError:
        raise _unknown(url) from None


def unreachable(url: str, error: Exception) -> UserError:
    """The sentence for a missing connection."""
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return UserError(
        f"{_host(url)} cannot be reached ({reason}): check the network and the proxy, or get the file with a browser "
        "and import it."
    )


def refused(answer: Refused) -> UserError:
    """The sentence for an answer that is an error."""
    host, status = answer.host, answer.status
    if answer.headers.get("x-ratelimit-remaining") == "0" or status == 429:
        return UserError(f"{host} was asked too often for now: try again in an hour, or import the file.")
    if status in (401, 403):
        return UserError(
            f"{host} gives this only to people who are logged in ({status}): enter an API key of yours, or get the "
            "file with a browser and import it."
        )
    if status in (404, 410):
        return UserError(f"{host} does not have this any more: look at its page, or import a file you have.")
    return UserError(f"{host} cannot answer now ({status}): try again later.")


def _offer(
    api: str, *, name: Any, url: Any, size: Any, sha256: Any, version: Any, source: str, base_model: Any = ""
) -> Iterator[Offer]:
    """The offer, if it is of a LoRA file at an address that may be asked."""
    safe = file_name(name) if isinstance(name, str) else ""
    # Plain http is allowed only if the API itself is used by http: a mirror or a test.
    allowed = ("https://", "http://") if api.startswith("http://") else ("https://",)
    if not safe or not isinstance(url, str) or not url.startswith(allowed):
        return
    digest = str(sha256 or "").lower()
    yield Offer(
        name=safe,
        url=url,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 0,
        sha256=digest if _SHA256.fullmatch(digest) else "",
        version=_line(version),
        base=_line(base_model),
        source=source,
    )


def _unknown(url: str) -> UserError:
    return UserError(
        f"{_host(url)} answers something else than its API (a login page of your network?): open it in a browser."
    )


def _host(url: str) -> str:
    return re.sub(r"^\w+://", "", url).split("/")[0] or url


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _line(value: Any) -> str:
    return " ".join(value.split())[:100] if isinstance(value, str) else ""
