// Whose the captions are that were in a folder before the first run: asked once a folder, and to be changed until then.

import { h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { note } from "../../parts/states.mjs";
import { texts } from "../../texts.mjs";

const words = texts.whose;
const MINE = "mine";
const TAGGER = "tagger";

export function whose(app, redraw) {
  const said = () => app.session.get("whose", {})[app.folder.path];
  const say = (value) => {
    app.session.set("whose", { ...app.session.get("whose", {}), [app.folder.path]: value });
    redraw();
  };
  return {
    /** What the answer adds to the settings of a run. */
    config: () => (said() === TAGGER ? { adopt: true } : {}),
    /** The question, or what was answered; nothing where no caption was there before us. */
    element: () => {
      if (app.folder.run !== null || app.folder.captions === 0) return null;
      if (said()) {
        return note("", h("span", {}, words[said()]), button(words.change, () => say(undefined), "plain small"));
      }
      return h(
        "div",
        { class: "note", role: "group", "aria-label": words.title },
        h("span", {}, words.ask(app.folder.captions)),
        button(words.sayMine, () => say(MINE), "small"),
        button(words.sayTagger, () => say(TAGGER), "small"),
      );
    },
  };
}
