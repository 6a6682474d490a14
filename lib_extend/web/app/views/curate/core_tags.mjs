// Core tags: what nearly all pictures of a character have, with their share.

import { fill, h } from "../../dom.mjs";
import { spoken } from "../../parts/tags.mjs";
import { percent, texts } from "../../texts.mjs";
import { decision } from "./tag_rows.mjs";

const words = texts.curate;

/** The list; `element.draw(found)` shows the server's answer. */
export function coreTags(decided) {
  const element = h("div", { class: "stack" });
  element.draw = ({ threshold, characters }) =>
    fill(
      element,
      h("p", { class: "hint" }, words.threshold(percent(threshold))),
      characters.length === 0 && h("p", { class: "muted" }, words.noCore),
      characters.map((character) =>
        h(
          "section",
          { class: "stack close core" },
          h(
            "h3",
            { class: "wrap" },
            [spoken(character.name), spoken(character.form ?? ""), character.folder].filter(Boolean).join(" · "),
            " ",
            h("span", { class: "badge" }, words.pictures(character.pictures)),
            !character.enough && h("span", { class: "badge warn" }, words.few),
          ),
          h(
            "ul",
            { class: "core-tags" },
            // of too few pictures nothing is dropped
            character.tags.map((tag) => ({ ...tag, use: character.enough ? tag.use : "listed" })).map((tag) =>
              h(
                "li",
                { data: { use: tag.use } },
                h("span", { class: "wrap" }, spoken(tag.name)),
                h("span", { class: "meter", "aria-hidden": "true" }, h("span", { style: `width:${100 * tag.share}%` })),
                h("span", { class: "value", title: words.share(percent(tag.share), tag.count) }, percent(tag.share)),
                h("span", { class: `badge ${tag.use === "dropped" ? "warn" : ""}` }, words.use[tag.use] ?? tag.use),
                decision(tag.name, tag.overrule ?? "", decided),
              ),
            ),
          ),
        ),
      ),
    );
  return element;
}
