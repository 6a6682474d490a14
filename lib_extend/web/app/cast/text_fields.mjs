// The texts that are nobody's own: of all characters, of the picture, and what is not wanted.

import { h } from "../dom.mjs";
import { area, labelled } from "./fields.mjs";
import { texts } from "./texts.mjs";

const words = texts.fields;

export function textFields({ store }) {
  const field = (name) =>
    labelled(
      words[name][0],
      area(store, { get: () => store.state[name], set: (value) => store.change({ [name]: value }), placeholder: words[name][2] }),
      { hint: words[name][1] },
    );
  return h("section", { class: "text-fields", "aria-label": words.title }, ["common", "scene", "negative"].map(field));
}
