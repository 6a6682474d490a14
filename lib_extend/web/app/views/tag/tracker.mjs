// Follows one job: its counters, its last pictures, its failures. Whoever draws it listens to "change".

import { api, follow } from "../../api.mjs";
import { later } from "../../dom.mjs";

const KEPT = 500;
const EVERY = 1000;
const DRAW = 120;

export class Tracker extends EventTarget {
  info = null; // the job as the server counts it
  pictures = []; // the last image events, newest first
  failures = []; // the last failures, newest first
  seen = 0; // pictures whose event came
  changed = 0; // of these, captions that differ
  phase = null; // the last `status` event while nothing else happens
  planned = null;
  notices = new Map(); // what the folder holds besides, by code
  finished = null; // the event of the end
  trouble = ""; // why nothing comes at the moment
  gone = false; // the server knows the job no longer

  #end = () => {};
  #timer = 0;
  #closed = false;
  #tell = later(() => this.dispatchEvent(new Event("change")), DRAW);

  constructor(id) {
    super();
    this.id = id;
  }

  get over() {
    return this.gone || ["done", "stopped", "failed"].includes(this.info?.state);
  }

  /** Begin to follow; resolves when the job is over, with the `finished` event or null. */
  watch() {
    return new Promise((resolve) => {
      this.addEventListener("over", () => resolve(this.finished), { once: true });
      this.#end = follow(`jobs/${this.id}/events`, {
        onEvent: (event) => this.#take(event),
        onTrouble: (sentence) => {
          this.trouble = sentence;
          this.#tell();
        },
      });
      this.#ask();
    });
  }

  close() {
    this.#closed = true;
    this.#end();
    clearTimeout(this.#timer);
    this.#tell.cancel();
  }

  async act(action) {
    await api.post(`jobs/${this.id}`, { action });
    await this.#ask();
  }

  async #ask() {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    try {
      if (!document.hidden || !this.info) this.info = await api.get(`jobs/${this.id}`);
      this.trouble = "";
    } catch (error) {
      this.trouble = error.message;
      this.gone = error.status === 404;
    }
    if (this.#closed) return;
    this.#tell();
    // a job that ended before anybody looked has its last event in the log, too
    if (this.over && (this.finished || this.gone)) return this.#over();
    this.#timer = setTimeout(() => this.#ask(), EVERY);
  }

  #take(event) {
    if (event.event === "planned") {
      this.planned = event;
      this.phase = null;
    } else if (event.event === "status") this.phase = event;
    else if (event.event === "loaded" || event.event === "paused") this.phase = null;
    else if (event.event === "image") {
      this.phase = null;
      this.seen += 1;
      this.changed += event.changed ? 1 : 0;
      this.pictures.unshift(event);
      this.pictures.length = Math.min(this.pictures.length, KEPT);
    } else if (event.event === "notice") {
      this.notices.set(event.code, event); // a job that goes on after a pause says it again
    } else if (event.event === "failed" || event.event === "incomplete") {
      this.failures.unshift(event);
      this.failures.length = Math.min(this.failures.length, KEPT);
    } else if (event.event === "finished") {
      this.finished = event;
      this.phase = null;
      this.#end();
      this.#ask();
    }
    if (event.event === "paused") this.#ask();
    this.#tell();
  }

  #over() {
    this.#end();
    this.#closed = true;
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("over"));
  }
}
