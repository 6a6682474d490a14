// One picture of the folder before and after, and why each tag goes.

import { api } from "../../api.mjs";
import { fill, h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { diff } from "../../parts/diff.mjs";
import { trouble } from "../../parts/states.mjs";
import { spoken } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";
import { thumbnail } from "../tag/pictures.mjs";
import { reasonOf } from "./reasons.mjs";

const words = texts.curate;

/** The list of what goes from a picture, each with its reason. */
export function droppedList(dropped) {
  return h("ul", { class: "dropped" }, dropped.map((d) => h("li", {}, h("strong", {}, spoken(d.name)), " ", h("span", { class: "muted" }, reasonOf(d)))));
}

/** `element.look(config)` fetches the picture with these settings; `element.open(image)` shows another. */
export function onePicture(app) {
  const head = h("div", { class: "row" });
  const body = h("div", { class: "curate-one" });
  const element = h("div", { class: "stack" }, head, body);
  let at = 0;
  let total = 0;
  let asked = 0;
  let config = {};

  const step = (by) => {
    at = (at + by + total) % total;
    element.look(config);
  };
  element.look = async (settings) => {
    config = settings;
    const mine = (asked += 1);
    const { id } = app.folder;
    try {
      const page = await api.get(`datasets/${id}/images`, { offset: at, limit: 1, sort: "name" });
      if (mine !== asked) return;
      total = page.total;
      const [row] = page.rows;
      if (!row) return void fill(body);
      const found = await api.post(`datasets/${id}/curation/picture`, { image: row.name, config });
      if (mine !== asked) return;
      fill(
        head,
        h("strong", { class: "grow wrap" }, row.name),
        h("span", { class: "hint" }, texts.sample.of(at + 1, total)),
        button("‹", () => step(-1), "small icon", { "aria-label": texts.sample.previous, title: texts.sample.previous }),
        button("›", () => step(1), "small icon", { "aria-label": texts.sample.next, title: texts.sample.next }),
      );
      fill(
        body,
        thumbnail(id, row.name, 384),
        h(
          "div",
          { class: "stack close" },
          h("h3", { class: "hint" }, words.before),
          h("p", { class: "diff" }, found.before || h("span", { class: "muted" }, texts.sample.noCaption)),
          h("h3", { class: "hint" }, words.after),
          found.before === found.after ? h("p", { class: "muted" }, texts.sample.unchanged) : diff(found.before, found.after),
          found.dropped.length > 0 && [h("h3", { class: "hint" }, texts.one.dropped), droppedList(found.dropped)],
          found.tags.length === 0 && h("p", { class: "muted" }, words.noTags),
        ),
      );
    } catch (error) {
      if (mine === asked) fill(body, trouble(error.message, () => element.look(config)));
    }
  };
  element.reset = () => (at = 0);
  return element;
}
