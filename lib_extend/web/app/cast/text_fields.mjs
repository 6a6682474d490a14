// The texts that are nobody's own: of all characters, of the picture, and what is not wanted.

import { h } from "../dom.mjs";
import { additions, joined } from "./additions.mjs";
import { area, labelled } from "./fields.mjs";
import { texts } from "./texts.mjs";

const words = texts.fields;

export function textFields(context) {
  const { store } = context;
  const field = (name) => {
    const element = labelled(
      words[name][0],
      area(store, { get: () => store.state[name], set: (value) => store.change({ [name]: value }), placeholder: words[name][2] }),
      { hint: words[name][1] },
    );
    if (name === "scene") element.append(additions(context, { place: name, label: texts.expand.around, keep: (more) => store.change({ scene: joined(store.state.scene, more) }) }));
    return element;
  };
  return h("section", { class: "text-fields", "aria-label": words.title }, ["common", "scene", "negative"].map(field));
}
