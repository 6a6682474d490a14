// What is to be looked at, fetched as it is needed; what was decided, sent in order while the person goes on.

import { api, imageId } from "../../api.mjs";

const PAGE = 50;
const AHEAD = 10;
const AGAIN = 1500;

export const keyOf = (item) => JSON.stringify([item.name, item.question, item.object]);

/** Events: "sent" (detail: {item}), "failed" (detail: {item, error}), "items". */
export class Queue extends EventTarget {
  items = [];
  total = 0; // with what was decided here
  complete = false; // whether the server has looked at everything; until then `total` grows
  done = 0; // pictures it has looked at, of `images`
  images = 0;
  decided = new Map(); // key → verdict

  #folder = "";
  #below = 0.8;
  #chain = Promise.resolve();
  #details = new Map(); // image → promise of its details
  #fetching = null;
  #timer = 0;

  /** Begin with a folder. Raises ApiError. */
  async begin(folder, below) {
    [this.#folder, this.#below] = [folder, below];
    clearTimeout(this.#timer);
    this.complete = false;
    this.done = this.images = 0;
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
    const below = this.#below;
    const { total, rows, complete, done, images } = await api.get(`datasets/${folder}/review`, { below, offset: left, limit: PAGE });
    if (folder !== this.#folder || below !== this.#below) return;
    [this.complete, this.done, this.images] = [complete, done, images];
    const known = new Set(this.items.map(keyOf));
    const fresh = rows.filter((r) => !known.has(keyOf(r)));
    this.items.push(...fresh);
    const here = this.items.filter((i) => this.decided.has(keyOf(i))).length;
    this.total = Math.max(this.items.length, fresh.length || !complete ? total + here : this.items.length);
    clearTimeout(this.#timer);
    // it grows while nobody asks
    if (!complete) this.#timer = setTimeout(() => this.more().catch(() => {}), AGAIN);
    this.dispatchEvent(new Event("items"));
  }

  /** Put an item that was decided before the page was loaded at place `at`; a known one stays. Its place. */
  insert(item, at) {
    const known = this.items.findIndex((i) => keyOf(i) === keyOf(item));
    if (known >= 0) return known;
    const place = Math.min(at, this.items.length);
    this.items.splice(place, 0, item);
    this.total += 1;
    this.dispatchEvent(new Event("items"));
    return place;
  }

  /** Items are asked for before the last one is reached. */
  near(at) {
    if (at >= this.items.length - AHEAD && (this.items.length < this.total || !this.complete)) this.more().catch(() => {});
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

  /** Take back what was said of an item: it is on the list again. Raises ApiError. */
  async withdraw(item) {
    const body = { image: item.name, question: item.question, object: item.object, verdict: "withdraw" };
    await this.#send(item, () => api.post(`datasets/${this.#folder}/review`, body), true);
    this.decided.delete(keyOf(item));
  }

  /** Send an image's persons; [] gives the models' back. */
  persons(item, persons) {
    return this.#send(item, () => api.post(`datasets/${this.#folder}/persons`, { image: item.name, persons }), true);
  }

  #send(item, work, tell = false) {
    const done = this.#chain.then(async () => {
      await work();
      this.forget(item.name);
      this.dispatchEvent(new CustomEvent("sent", { detail: { item } }));
    });
    this.#chain = done.catch((error) => {
      if (tell) return;
      this.decided.delete(keyOf(item));
      this.dispatchEvent(new CustomEvent("failed", { detail: { item, error } }));
    });
    return done;
  }

  /** When all that was decided has been written. */
  get settled() {
    return this.#chain;
  }
}
