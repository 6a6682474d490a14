// The custom element that is the panel in txt2img or img2img. Until its accordion is opened it is a state, a switch and a
// line; the rest of the modules, the styles and the server's facts come with the first look at it.

import { fill, h } from "../dom.mjs";
import { followTheme, seen, styles } from "../parts/look.mjs";
import { trouble } from "../parts/states.mjs";
import { head } from "./head.mjs";
import { accordion } from "./host.mjs";
import { ELEMENT, SEND } from "./ids.mjs";
import { Link } from "./link.mjs";
import { Store } from "./store.mjs";

const STYLES = ["base", "controls", "parts", "cast", "cast_editor"];
const LOOK = 300;

class PromptExtendCast extends HTMLElement {
  #begun = false;
  #built = false;
  #timer = 0;
  #endTheme = () => {};

  connectedCallback() {
    this.#endTheme = followTheme(this);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK);
    if (this.#begun) return;
    this.#begun = true;
    this.store = new Store();
    this.link = new Link(this.dataset.tab, this.store);
    const place = accordion(this);
    if (place) head(place, this.store);
    this.#look();
    // whatever acts on a click or a key comes after us
    for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, () => this.isConnected && this.link.look(), { capture: true });
    document.addEventListener(SEND, ({ detail }) => {
      if (detail.tab !== this.dataset.tab || !this.isConnected) return;
      this.store.fill(detail.cast);
      detail.taken = true;
    });
    seen(this).then(() => this.#build());
  }

  disconnectedCallback() {
    this.#endTheme();
    clearInterval(this.#timer);
  }

  #look() {
    if (document.hidden) return;
    this.link.look();
    if (this.#built && this.offsetParent !== null) this.store.tell("look");
  }

  async #build() {
    try {
      const [{ panel }, sheets] = await Promise.all([import("./panel.mjs"), styles(STYLES)]);
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = sheets;
      root.replaceChildren();
      panel({ tab: this.dataset.tab, store: this.store, root });
      this.#built = true;
      this.style.minHeight = "0";
    } catch (error) {
      console.error("Prompt Extend:", error);
      fill(this, h("div", {}, trouble(error.message, () => this.#build())));
    }
  }
}

if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, PromptExtendCast);
