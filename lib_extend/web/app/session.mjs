// What this browser window remembers: the view, the folder, the settings that differ from their defaults. It survives
// a reload of the page; a new window starts from what the last one used. The server knows nothing of it.

const KEY = "prompt-extend";
const LASTING = ["folder", "config", "unloadHost", "whose"];

function read(storage) {
  try {
    const value = JSON.parse(storage.getItem(KEY) ?? "{}");
    return value && typeof value === "object" ? value : {};
  } catch {
    return {}; // blocked, or someone else's value
  }
}

export class Session {
  #values;
  #listeners = new Map();

  constructor() {
    const lasting = read(localStorage);
    const kept = Object.fromEntries(LASTING.filter((n) => n in lasting).map((n) => [n, lasting[n]]));
    this.#values = { ...kept, ...read(sessionStorage) };
  }

  get(name, otherwise = null) {
    return this.#values[name] ?? otherwise;
  }

  set(name, value) {
    this.#values[name] = value;
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#values));
      if (LASTING.includes(name)) {
        localStorage.setItem(KEY, JSON.stringify({ ...read(localStorage), [name]: value }));
      }
    } catch {
      // private windows may refuse; the page works, it only forgets
    }
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }

  /** Call `listener(value)` at every change; returns a function that ends it. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }
}
