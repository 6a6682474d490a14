// Asking the expander for more tags: one question at a time, of one place or of all.

import { api } from "../api.mjs";
import { texts as page } from "../texts.mjs";
import { prompt, size } from "./host.mjs";
import { texts } from "./texts.mjs";

const words = texts.expand;
const LOOK = 1000;

/** Events of the store: "drawing" whenever what it does changed. */
export class Drawing {
  #context;
  #request = null;
  #dropped = new Map(); // place → tags that a person threw out
  at = []; // the places that are being drawn
  line = "";

  constructor(context) {
    this.#context = context;
  }

  get busy() {
    return this.#request !== null;
  }

  /** Whether pictures draw this place's tags themselves. */
  atGeneration(place) {
    const { expansion } = this.#context.store.state;
    const kind = ["prompt", "scene"].includes(place) ? place : "characters";
    return expansion?.when === "generation" && expansion.places.includes(kind);
  }

  dropped(place, tags) {
    this.#dropped.set(place, [...(this.#dropped.get(place) ?? []), ...tags]);
  }

  stop() {
    this.#request?.abort();
  }

  /** Draw for these places; null for all that have words. */
  async draw(places = null) {
    const { store, tab, say } = this.#context;
    const mine = (this.#request = new AbortController());
    this.at = places ?? ["prompt", "scene", ...store.state.characters.keys()].map(String);
    this.#tell(words.drawing);
    const watching = setInterval(() => this.#watch(mine), LOOK);
    const [width, height] = size(tab);
    const dropped = places?.length === 1 ? [...new Set(this.#dropped.get(places[0]) ?? [])] : [];
    const { main: _, main_negative: __, problem: ___, ...state } = store.state;
    const before = JSON.stringify(state.characters.map((c) => c.prompt));
    try {
      const { added } = await api.post("cast/expand", { ...state, enabled: true, prompt: prompt(tab), width, height, places, dropped }, mine.signal);
      if (before !== JSON.stringify(store.state.characters.map((c) => c.prompt))) return void say(words.changed, "bad");
      store.keep();
      for (const [place, what] of Object.entries(added)) store.setAdded(place, what);
      if (Object.values(added).every((one) => one.tags.length === 0 && !one.prose)) say(words.nothing);
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, "bad");
    } finally {
      clearInterval(watching);
      this.#request = null;
      this.at = [];
      this.#tell("");
    }
    return undefined;
  }

  #tell(line) {
    this.line = line;
    this.#context.store.tell("drawing");
  }

  /** What the answer waits for: a download, a model loading. */
  async #watch(mine) {
    const now = await api.get("state").then((state) => state.worker?.loading, () => null);
    if (mine !== this.#request) return;
    this.#tell(now ? now.what + (now.total > 0 ? `: ${page.job.downloading(now.done, now.total)}` : "") : words.drawing);
  }
}
