// "Why is it not here?": a tag that a person misses in a caption, and what became of it.

import { completed } from "../../chips/complete.mjs";
import { h } from "../../dom.mjs";
import { spoken } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";
import { reasonOf } from "../curate/reasons.mjs";

const words = texts.curate;
const key = (name) => name.trim().toLowerCase().replaceAll(" ", "_");

/** The field and its answer, for what the server knows of a picture ({ tags, dropped }). */
export function whyNot(found, folder) {
  const input = h("input", { type: "text", placeholder: words.whyTag, "aria-label": words.whyNot });
  const answer = h("p", { class: "wrap", role: "status" });
  const say = () => {
    const tag = key(input.value);
    if (!tag) return void (answer.textContent = "");
    const gone = found.dropped.find((d) => key(d.name) === tag);
    if (gone) answer.textContent = `${spoken(tag)}: ${reasonOf(gone)}`;
    else if (found.tags.some((t) => key(t.name) === tag)) answer.textContent = words.isHere(spoken(tag));
    else answer.textContent = words.saidByNobody(spoken(tag));
  };
  input.addEventListener("change", say);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    say();
  });
  const field = completed(input, { folder: () => folder, take: (tag) => ((input.value = spoken(tag.name)), say()) });
  return h("section", { class: "stack close" }, h("h3", {}, words.whyNot), field, answer);
}
