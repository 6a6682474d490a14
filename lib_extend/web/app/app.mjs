// The custom element that is the whole tab: header, views, messages. Gradio merely mounts it.

import { Context } from "./context.mjs";
import { fill, h } from "./dom.mjs";
import { languageChoice } from "./parts/language.mjs";
import { machineButton } from "./parts/machine.mjs";
import { jobsBanner } from "./parts/jobs_banner.mjs";
import { followTheme, seen, styles } from "./parts/look.mjs";
import { loading, trouble } from "./parts/states.mjs";
import { toasts } from "./parts/toast.mjs";
import { Session } from "./session.mjs";
import { language, texts } from "./texts.mjs";
import { VIEWS } from "./views/table.mjs";

const STYLES = ["base", "controls", "parts", "views", "browse", "review", "chips"];
const AGAIN = 3000;

// a view in words: long, and short for narrow windows
const name = (id, title) => texts.views[id] ?? [title, title];

class PromptExtendApp extends HTMLElement {
  #begun = false;
  #endTheme = () => {};

  // Gradio may take a tab's content out of the page and put it back: all is built once and kept
  connectedCallback() {
    this.#endTheme = followTheme(this);
    if (this.#begun) return;
    this.#begun = true;
    this.#build().catch((error) => {
      console.error("Prompt Extend:", error);
      this.textContent = error.message;
    });
  }

  disconnectedCallback() {
    this.#endTheme();
  }

  async #build() {
    const sheets = await styles(STYLES);
    const root = this.attachShadow({ mode: "open" });
    this.lang = language;
    root.adoptedStyleSheets = sheets;
    const { element: toastPlace, say } = toasts();
    const session = new Session();
    const app = new Context(session, root, say, (id) => this.#show(id));
    this.app = app;
    this.#tabs = tabs((id) => this.#show(id));
    this.#place = h("div", { class: "place" }, loading(420));
    const machine = machineButton(app);
    root.append(
      h(
        "div",
        { class: "shell" },
        h("h1", { class: "visually-hidden" }, texts.title),
        h("div", { class: "top" }, this.#tabs.element, languageChoice(app), machine),
        jobsBanner(app),
        this.#place,
      ),
      toastPlace,
    );
    // shortcuts of the WebUI must not act on what is typed into our fields
    root.addEventListener("keydown", (event) => {
      if (event.target.matches("input, textarea, select")) event.stopPropagation();
    });
    // a WebUI's user who never opens the tab asks nothing of the server
    await seen(this);
    await this.#begin(session);
  }

  async #begin(session) {
    try {
      await this.app.begin();
    } catch (error) {
      const message = error.status === 404 ? texts.errors.noApi : error.message;
      fill(this.#place, trouble(message, () => this.#begin(session)));
      if (error.status === 0 || error.status >= 502) setTimeout(() => this.#begin(session), AGAIN);
      return;
    }
    this.app.tell("state");
    const folder = session.get("folder");
    if (folder) this.app.openFolder(folder);
    this.#ready = true;
    const [, named] = location.hash.match(/^#prompt-extend\/(\w+)/) ?? [];
    const wanted = this.#wanted || named || session.get("view");
    await this.#show(VIEWS.some((v) => v.id === wanted) ? wanted : VIEWS[0].id);
  }

  #tabs = null;
  #place = null;
  #views = new Map();
  #shown = "";
  #ready = false;
  #wanted = "";

  async #show(id) {
    if (!this.#ready) {
      // clicked while the page is loading: shown when it has
      this.#wanted = id;
      this.#tabs.select(id);
      return;
    }
    if (id === this.#shown) return;
    this.#views.get(this.#shown)?.hide();
    this.#shown = id;
    this.#tabs.select(id);
    this.app.session.set("view", id);
    // elsewhere the address belongs to the WebUI
    if (!this.app.hosted) history.replaceState(null, "", `#prompt-extend/${id}`);
    if (!this.#views.has(id)) {
      fill(this.#place, loading(420));
      try {
        const module = await VIEWS.find((v) => v.id === id).load();
        this.#views.set(id, module.view(this.app));
      } catch (error) {
        console.error("Prompt Extend:", error);
        if (this.#shown === id) {
          this.#shown = "";
          fill(this.#place, trouble(texts.errors.unreachable, () => this.#show(id)));
        }
        return;
      }
    }
    if (this.#shown !== id) return;
    const view = this.#views.get(id);
    view.element.id = `view-${id}`;
    view.element.setAttribute("role", "tabpanel");
    view.element.setAttribute("aria-labelledby", `tab-${id}`);
    fill(this.#place, view.element);
    view.show();
  }
}

function tabs(open) {
  const buttons = VIEWS.map(({ id, title }) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${id}`,
        tabIndex: -1,
        "aria-selected": "false",
        "aria-controls": `view-${id}`,
        "aria-label": name(id, title)[0],
        on: { click: () => open(id) },
      },
      h("span", { class: "long" }, name(id, title)[0]),
      h("span", { class: "short", "aria-hidden": "true" }, name(id, title)[1]),
    ),
  );
  const element = h("div", { class: "views", role: "tablist", "aria-label": texts.views.label }, buttons);
  element.addEventListener("keydown", (event) => {
    const at = buttons.findIndex((b) => b.tabIndex === 0);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const target = buttons[(to + buttons.length) % buttons.length];
    target.focus();
    target.click();
  });
  const select = (id) => {
    for (const b of buttons) {
      const on = b.id === `tab-${id}`;
      b.setAttribute("aria-selected", String(on));
      b.tabIndex = on ? 0 : -1;
    }
  };
  return { element, select };
}

if (!customElements.get("prompt-extend-app")) customElements.define("prompt-extend-app", PromptExtendApp);
