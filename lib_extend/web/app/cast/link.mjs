// Between the panel and the WebUI's hidden textbox. Every change is in the textbox before anything else can happen, so
// that Generate finds it; what the WebUI itself puts there (a paste) comes back into the panel. What is seen is what acts:
// after a reload the cast is there again, but switched off, as the WebUI's own prompt is empty then.

import { textbox } from "./host.mjs";
import { complete, isEmpty, read, write } from "./state.mjs";

export class Link {
  #tab;
  #store;
  #written = null; // what the textbox had last, as far as we know; null while there is none
  #key;
  #early = false; // something was changed before the textbox was there

  constructor(tab, store) {
    this.#tab = tab;
    this.#store = store;
    this.#key = `prompt-extend-cast-${tab}`;
    store.on("change", ({ live }) => {
      if (live) return;
      this.#early ||= this.#written === null;
      this.#send();
    });
  }

  /** To be called now and then, and before anything reads the state: takes over what others wrote. Cheap. */
  look() {
    const area = textbox(this.#tab);
    if (!area || area.value === this.#written) return;
    const first = this.#written === null;
    this.#written = area.value;
    if (first && this.#early) return void this.#send();
    if (first && area.value === "") return void this.#recall();
    // what a browser put back at a reload is not known to the WebUI until it is told
    if (first) area.dispatchEvent(new Event("input", { bubbles: true }));
    const { state, problem, expansion } = read(area.value);
    this.#store.take(state, { problem, keep: !first, expansion });
  }

  #send() {
    const area = textbox(this.#tab);
    if (!area || this.#written === null || this.#store.problem) return;
    const text = write(this.#store.state);
    this.#remember();
    if (text === this.#written) return;
    this.#written = text;
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A reload of the page forgets what is in the WebUI's fields; the window remembers.

  #remember() {
    try {
      if (isEmpty(this.#store.state)) sessionStorage.removeItem(this.#key);
      else sessionStorage.setItem(this.#key, JSON.stringify(this.#store.state));
    } catch {
      // private windows may refuse; it is only not remembered
    }
  }

  #recall() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
    } catch {
      return; // blocked, or someone else's value
    }
    if (kept && typeof kept === "object") this.#store.take(complete({ ...kept, enabled: false }), { keep: false });
  }
}
