// The rows of a filter, fetched a page at a time as they are looked at, and kept up to a bound.

import { api } from "../../api.mjs";

const PAGE = 100;
const MOST = 60;
const SPAN = 1000;
const RESTS = 60;

/**
 * `row(n)` is what is known of the n-th picture, or null; `want(first, last)` has the pages around fetched once the
 * person rests there. Requests for pages nobody looks at any more are ended. Events: "rows", "total", "failed" (detail:
 * the error).
 */
export class Pages extends EventTarget {
  total = null; // null until it is known

  #folder = "";
  #query = { filter: "", sort: "name" };
  #pages = new Map(); // page number → rows, the last used last
  #requests = new Map(); // page number → AbortController
  #timer = 0;
  #wanted = [0, 0];

  /** Show another folder, filter or order: nothing of the old one is kept. */
  ask(folder, filter, sort) {
    this.#folder = folder;
    this.#query = { filter, sort };
    this.total = null;
    this.again();
  }

  /** Fetch anew what is looked at; the old rows are shown until the new ones are there. */
  again() {
    this.#stop(() => true);
    const [first, last] = this.#wanted;
    for (const page of this.#pages.keys()) if (this.total === null || page < first || page > last) this.#pages.delete(page);
    if (!this.#folder) return;
    if (this.total === null) this.#fetch(0);
    else for (let page = first; page <= last; page += 1) this.#fetch(page);
  }

  row(n) {
    return this.#pages.get(Math.floor(n / PAGE))?.[n % PAGE] ?? null;
  }

  want(first, last) {
    const from = Math.floor(Math.max(0, first) / PAGE);
    const to = Math.floor(Math.max(0, last) / PAGE);
    this.#wanted = [from, to];
    this.#stop((page) => this.total !== null && (page < from || page > to));
    clearTimeout(this.#timer);
    const missing = () => {
      for (let page = from; page <= to; page += 1) {
        if (!this.#pages.has(page) && !this.#requests.has(page)) this.#fetch(page);
      }
    };
    this.#timer = setTimeout(missing, RESTS);
  }

  /** The n-th row, fetched when it is not known. Raises ApiError. */
  async get(n) {
    if (!this.row(n)) await this.#fetch(Math.floor(n / PAGE));
    return this.row(n);
  }

  /** The rows from place `first` to `last`, fetched where they are not known. Raises ApiError. */
  async span(first, last) {
    const rows = [];
    for (let n = first; n <= last; ) {
      const known = this.row(n);
      if (known) {
        rows.push(known);
        n += 1;
        continue;
      }
      const query = { ...this.#query, offset: n, limit: Math.min(SPAN, last - n + 1) };
      const found = (await api.get(`datasets/${this.#folder}/images`, query)).rows;
      if (!found.length) break;
      rows.push(...found);
      n += found.length;
    }
    return rows;
  }

  /** A row whose caption was just written. */
  change(id, values) {
    for (const rows of this.#pages.values()) {
      const row = rows.find((r) => r.id === id);
      if (row) Object.assign(row, values);
    }
    this.dispatchEvent(new Event("rows"));
  }

  close() {
    clearTimeout(this.#timer);
    this.#stop(() => true);
  }

  #stop(which) {
    for (const [page, request] of this.#requests) {
      if (!which(page)) continue;
      request.abort();
      this.#requests.delete(page);
    }
  }

  async #fetch(page) {
    const mine = new AbortController();
    this.#requests.get(page)?.abort();
    this.#requests.set(page, mine);
    try {
      const query = { ...this.#query, offset: page * PAGE, limit: PAGE };
      const { total, rows } = await api.get(`datasets/${this.#folder}/images`, query, mine.signal);
      if (this.#requests.get(page) !== mine) return;
      this.#requests.delete(page);
      this.#pages.delete(page);
      this.#pages.set(page, rows);
      this.#drop();
      const first = this.total === null;
      if (this.total !== total) {
        // elsewhere pictures came or went: what lies behind has moved
        if (!first) for (const other of this.#pages.keys()) if (other > page) this.#pages.delete(other);
        this.total = total;
        this.dispatchEvent(new CustomEvent("total", { detail: { first } }));
      }
      this.dispatchEvent(new Event("rows"));
    } catch (error) {
      if (this.#requests.get(page) === mine) this.#requests.delete(page);
      if (error.name !== "AbortError") this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  #drop() {
    const [first, last] = this.#wanted;
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= MOST) return;
      if (page < first || page > last) this.#pages.delete(page);
    }
  }
}
