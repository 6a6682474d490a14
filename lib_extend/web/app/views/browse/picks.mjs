// The pictures a person has picked out of the grid, for an edit of just these.

/** Event "change" when one comes or goes. */
export class Picks extends EventTarget {
  #rows = new Map(); // name → id

  get size() {
    return this.#rows.size;
  }

  get ids() {
    return [...this.#rows.values()];
  }

  has(name) {
    return this.#rows.has(name);
  }

  toggle({ name, id }) {
    if (!this.#rows.delete(name)) this.#rows.set(name, id);
    this.#tell();
  }

  add(rows) {
    for (const { name, id } of rows) this.#rows.set(name, id);
    this.#tell();
  }

  /** No longer pick these; what was picked since stays. */
  drop(ids) {
    const gone = new Set(ids);
    for (const [name, id] of this.#rows) if (gone.has(id)) this.#rows.delete(name);
    this.#tell();
  }

  clear() {
    if (!this.#rows.size) return;
    this.#rows.clear();
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
