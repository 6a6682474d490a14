// What is to be looked at, fetched as it is needed; what was decided, sent in order while the person goes on.

import { api, imageId } from "../../api.mjs";

const PAGE = 50;
const AHEAD = 10;

export const keyOf = (item) => JSON.stringify([item.name, item.question, item.object]);

/** Events: "sent" (detail: {item, before, caption}), "failed" (detail: {item, error}), "items". */
export class Queue extends EventTarget {
  items = [];
  total = 0; // with what was decided here
  decided = new Map(); // key → verdict

  #folder = "";
  #below = 0.8;
  #chain = Promise.resolve();
  #details = new Map(); // image → promise of its details
  #fetching = null;

  /** Begin with a folder. Raises ApiError. */
  async begin(folder, below) {
    [this.#folder, this.#below] = [folder, below];
    this.items = [];
    this.decided.clear();
    this.#details.clear();
    this.total = 0;
    this.#fetching = null;
    await this.more();
  }

  /** Fetch the next page of items. */
  more() {
    this.#fetching ??= this.#more().finally(() => (this.#fetching = null));
    return this.#fetching;
  }

  async #more() {
    const folder = this.#folder;
    await this.#chain; // what is being decided shifts the places behind it
    const left = this.items.filter((i) => !this.decided.has(keyOf(i))).length;
    const { total, rows } = await api.get(`datasets/${folder}/review`, { below: this.#below, offset: left, limit: PAGE });
    if (folder !== this.#folder) return;
    const known = new Set(this.items.map(keyOf));
    const fresh = rows.filter((r) => !known.has(keyOf(r)));
    this.items.push(...fresh);
    this.total = Math.max(this.items.length, fresh.length ? total + this.decided.size : this.items.length);
    this.dispatchEvent(new Event("items"));
  }

  /** Items are asked for before the last one is reached. */
  near(at) {
    if (at >= this.items.length - AHEAD && this.items.length < this.total) this.more().catch(() => {});
  }

  /** Everything of one image, fetched once until it changes. */
  details(name) {
    if (!this.#details.has(name)) {
      const found = api.get(`datasets/${this.#folder}/images/${imageId(name)}`);
      found.catch(() => this.#details.delete(name));
      this.#details.set(name, found);
      if (this.#details.size > 50) this.#details.delete(this.#details.keys().next().value);
    }
    return this.#details.get(name);
  }

  forget(name) {
    this.#details.delete(name);
  }

  /** Send a verdict when those before it are through. */
  decide(item, verdict, answer = "") {
    this.decided.set(keyOf(item), { verdict, answer });
    const body = { image: item.name, question: item.question, object: item.object, verdict, ...(answer ? { answer } : {}) };
    this.#send(item, () => api.post(`datasets/${this.#folder}/review`, body));
  }

  /** Send an image's persons; [] gives the models' back. */
  persons(item, persons) {
    return this.#send(item, () => api.post(`datasets/${this.#folder}/persons`, { image: item.name, persons }), true);
  }

  #send(item, work, tell = false) {
    const done = this.#chain.then(async () => {
      const before = (await this.details(item.name).catch(() => null))?.caption ?? null;
      const { caption } = await work();
      this.forget(item.name);
      this.dispatchEvent(new CustomEvent("sent", { detail: { item, before, caption } }));
    });
    this.#chain = done.catch((error) => {
      this.decided.delete(keyOf(item));
      if (!tell) this.dispatchEvent(new CustomEvent("failed", { detail: { item, error } }));
    });
    return done;
  }

  /** When all that was decided has been written. */
  get settled() {
    return this.#chain;
  }

  /** The number of the newest run that wrote this image alone and stands, or null. */
  async runOf(name) {
    const runs = await api.get(`datasets/${this.#folder}/runs`);
    const found = runs.find((r) => r.kind === "tag" && r.status === "done" && r.changed > 0 && r.config.include?.length === 1 && r.config.include[0] === `/${name}`);
    return found?.id ?? null;
  }
}
