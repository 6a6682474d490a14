// The only place that speaks HTTP. Every failure is an ApiError whose message is a sentence for the user.

import { texts } from "./texts.mjs";

/** Everything above this module's folder: …/prompt-extend/v1/ whatever the host's address is. */
const BASE = new URL("../", import.meta.url);
const POLL = 1000;
const PATIENCE = 3;

export class ApiError extends Error {
  /** status: the HTTP status, 0 when nobody answered; field: the setting it is about, or "". */
  constructor(message, status = 0, body = {}) {
    super(message);
    this.status = status;
    this.field = body.field ?? "";
    this.body = body;
  }
}

export function url(path, query = {}) {
  const target = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") target.searchParams.set(name, value);
  }
  return target.href;
}

async function send(method, path, { body, form, query, signal } = {}) {
  const init = { method, signal, headers: { Accept: "application/json" } };
  if (form) init.body = form;
  else if (method !== "GET") {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body ?? {});
  }
  let reply;
  try {
    reply = await fetch(url(path, query), init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(texts.errors.unreachable);
  }
  const data = await reply.json().catch(() => null);
  if (reply.ok && data !== null) return data;
  if (reply.ok) throw new ApiError(texts.errors.notJson(path), reply.status);
  throw new ApiError(data?.error || texts.errors.status(reply.status), reply.status, data ?? {});
}

export const api = {
  get: (path, query, signal) => send("GET", path, { query, signal }),
  post: (path, body, signal) => send("POST", path, { body, signal }),
  put: (path, body) => send("PUT", path, { body }),
  remove: (path) => send("DELETE", path),
  upload: (path, form, signal) => send("POST", path, { form, signal }),
};

/**
 * Follow a stream of events that are numbered by `n`, across lost connections and restarts of the server.
 *
 * onEvent(event) gets each once, in order. onTrouble(sentence) says that nothing comes at the moment, onTrouble("") that
 * it does again. Where streams do not get through (a proxy that holds them back), the same events are asked for every
 * second. While nobody sees the page, no connection is held. Returns a function that ends it.
 */
export function follow(path, { after = 0, onEvent, onTrouble = () => {} }) {
  let last = after;
  let source = null;
  let timer = 0;
  let failures = 0;
  let ended = false;

  const take = (event) => {
    if (ended || (event.n !== undefined && event.n <= last)) return;
    if (event.n !== undefined) last = event.n;
    onEvent(event);
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const listen = () => {
    close();
    if (ended || document.hidden) return;
    source = new EventSource(url(path, { after: last }));
    source.onmessage = (message) => {
      failures = 0;
      onTrouble("");
      take(JSON.parse(message.data));
    };
    source.onopen = () => onTrouble("");
    source.onerror = () => {
      failures += 1;
      if (failures >= PATIENCE) return void ask();
      // a closed one does not come back by itself; an open one does, with Last-Event-ID
      if (source?.readyState === EventSource.CLOSED) {
        close();
        timer = setTimeout(listen, POLL * failures);
      }
    };
  };
  const ask = async () => {
    close();
    if (ended || document.hidden) return;
    try {
      const events = await api.get(path, { after: last, poll: 1 });
      onTrouble("");
      for (const event of Array.isArray(events) ? events : events.events) take(event);
    } catch (error) {
      onTrouble(error.message);
      if (error.status === 404) return; // the server no longer knows it
    }
    if (!ended) timer = setTimeout(ask, POLL);
  };
  const seen = () => {
    if (document.hidden) close();
    else if (failures >= PATIENCE) ask();
    else listen();
  };
  document.addEventListener("visibilitychange", seen);
  seen();
  return () => {
    ended = true;
    document.removeEventListener("visibilitychange", seen);
    close();
  };
}

/**
 * An image's name (a relative path) as it stands in an address: its bytes, percent-encoded. A file name that is not
 * UTF-8 holds each odd byte b as the character U+DC00 + b, as Python writes it.
 */
export function imageId(name) {
  let id = "";
  for (const letter of name) {
    const code = letter.charCodeAt(0);
    if (letter.length === 1 && code >= 0xdc80 && code <= 0xdcff) id += `%${(code - 0xdc00).toString(16).toUpperCase()}`;
    else if (letter === "/") id += "/";
    else id += letter.length === 1 && code >= 0xd800 && code <= 0xdfff ? "%EF%BF%BD" : encodeURIComponent(letter);
  }
  return id;
}

export function thumb(folder, name, size = 192) {
  return url(`datasets/${folder}/thumb/${imageId(name)}`, { size });
}

export function original(folder, name) {
  return url(`datasets/${folder}/file/${imageId(name)}`);
}
