// View 40: One picture
// "One picture": drop one, see all that the models say about it.

import { api } from "../api.mjs";
import { canSend, copy, sendToTxt2img } from "../bridge.mjs";
import { castOfPicture, canSendCast, sendCast } from "../cast/send.mjs";
import { texts as panelWords } from "../cast/texts.mjs";
import { captionChips } from "../chips/editor.mjs";
import { proposals } from "../chips/proposals.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { environmentCard } from "../parts/environment.mjs";
import { colorOf, personsOn } from "../parts/persons.mjs";
import { note, progress, trouble } from "../parts/states.mjs";
import { answerList, spoken, tagList } from "../parts/tags.mjs";
import { texts } from "../texts.mjs";
import { modelField } from "./tag/models.mjs";

const words = texts.one;

export function view(app) {
  let picture = null; // { blob, name, src }
  let request = null;
  const file = h("input", { type: "file", accept: "image/*", class: "visually-hidden", tabIndex: -1, "aria-label": words.choose });
  const drop = h(
    "div",
    { class: "drop" },
    h("h2", {}, words.drop),
    h("p", { class: "muted" }, words.or, " ", h("button", { type: "button", class: "link", on: { click: () => file.click() } }, words.choose)),
  );
  const stage = h("div", { class: "stage" }, drop);
  const again = h("div", { class: "row", hidden: true });
  const results = h("div", { class: "stack wide" }, h("p", { class: "hint only" }, words.hint));
  const fields = [modelField(app, "tagger"), modelField(app, "vlm")];
  const element = h(
    "div",
    { class: "stack wide" },
    environmentCard(app),
    h(
      "div",
      { class: "one-grid" },
      h("section", { class: "card stack" }, stage, again, h("div", { class: "pair" }, fields), h("p", { class: "hint" }, words.settings), file),
      h("section", { class: "card results", "aria-live": "polite" }, results),
    ),
  );

  const take = (blob, name) => {
    if (!blob?.type?.startsWith("image/")) return app.say(words.notImage(name || words.unnamed), "bad");
    if (picture) URL.revokeObjectURL(picture.src);
    picture = { blob, name: name || "picture", src: URL.createObjectURL(blob) };
    look();
  };
  const show = (persons = [], width = 0, height = 0) => {
    fill(stage, personsOn(picture.src, picture.name, persons, width, height));
    again.hidden = false;
    fill(again, button(words.again, () => file.click(), "small"), button(words.rerun, look, "small"));
  };
  const look = async () => {
    request?.abort();
    const mine = (request = new AbortController());
    show();
    const bar = progress(words.looking);
    fill(
      results,
      h("div", { class: "stack close" }, bar, h("p", {}, words.looking), h("p", { class: "hint" }, words.first)),
      h("div", {}, button(words.stop, () => mine.abort(), "small")),
    );
    const line = h("p", { class: "hint" }, words.first);
    results.querySelector(".hint").replaceWith(line);
    const watching = setInterval(() => watch(bar, line), 1000);
    try {
      const answer = await api.upload("analyze", form(), mine.signal);
      if (mine === request) draw(answer);
    } catch (error) {
      if (mine !== request) return;
      fill(results, error.name === "AbortError" ? h("p", { class: "hint only" }, words.hint) : trouble(error.message, look));
    }
    clearInterval(watching);
    app.refresh().catch(() => {});
  };
  // what the answer waits for: a download, a model loading
  const watch = async (bar, line) => {
    await app.refresh().catch(() => {});
    const now = app.state.worker?.loading;
    bar.set({ done: now?.done, total: now?.total });
    line.textContent = now ? now.what + (now.total > 0 ? `: ${texts.job.downloading(now.done, now.total)}` : "") : words.first;
  };

  const send = async () => sendCast("txt2img", await castOfPicture(form()));
  const form = () => {
    const data = new FormData();
    data.append("image", picture.blob, picture.name);
    data.append("config", JSON.stringify(app.config()));
    return data;
  };

  const section = (title, ...content) => h("section", { class: "stack close" }, h("h2", { class: "minor" }, title), content);
  const draw = (found) => {
    show(found.persons, found.width, found.height);
    const tags = found.tags ?? [];
    const caption = captionChips(app, { readOnly: true });
    caption.show(found.caption, { where: {}, tags });
    const done = (work, message) => async () => {
      try {
        await work();
        app.say(message, "good");
      } catch (error) {
        app.say(error.message, "bad");
      }
    };
    fill(
      results,
      section(
        words.caption,
        caption,
        found.caption && proposals(app, caption),
        h(
          "div",
          { class: "row" },
          button(texts.common.copy, done(() => copy(caption.text, app.place), texts.common.copied), "small"),
          canSend() && button(words.send, done(() => sendToTxt2img(caption.text), words.sent), "small primary"),
          canSendCast() && found.persons?.length > 0 && button(panelWords.send.button, done(send, panelWords.send.sent), "small", { title: panelWords.send.hint }),
          found.seconds !== undefined && h("span", { class: "hint" }, words.seconds(found.seconds)),
        ),
      ),
      (found.persons?.length > 0 || found.reason) && section(words.persons, persons(found)),
      section(
        words.answers,
        found.answers?.length
          ? answerList(found.answers, app.value("answer_threshold"))
          : h("p", { class: "hint" }, app.value("vlm") === "none" ? words.noVlm : words.noAnswers),
      ),
      found.description && section(words.description, h("blockquote", { class: "told" }, found.description)),
      section(`${words.tags} (${tags.length})`, tags.length ? tagList(tags) : h("p", { class: "hint" }, words.noTags)),
      found.dropped?.length > 0 &&
        h(
          "details",
          { class: "fold" },
          h("summary", {}, words.dropped, h("span", { class: "badge" }, String(found.dropped.length))),
          h("ul", { class: "inside dropped" }, found.dropped.map((d) => h("li", {}, h("strong", {}, spoken(d.name)), " ", h("span", { class: "muted" }, d.reason)))),
        ),
    );
  };
  const persons = (found) =>
    found.persons?.length
      ? h(
          "ul",
          { class: "stack close" },
          found.persons.map((p, at) =>
            h(
              "li",
              { class: "person" },
              h("span", { class: "letter", style: `background:${colorOf(at)}` }, p.letter || String(at + 1)),
              h("span", { class: "wrap" }, (p.tags ?? []).map((t) => spoken(t.name)).join(", ") || words.tagCount(0)),
            ),
          ),
        )
      : note("warn", h("span", {}, found.reason));

  file.addEventListener("change", () => {
    const [given] = file.files;
    file.value = "";
    if (given) take(given, given.name);
  });
  const over = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    element.toggleAttribute("data-over", event.type === "dragover");
  };
  element.addEventListener("dragover", over);
  element.addEventListener("dragleave", over);
  element.addEventListener("drop", (event) => {
    over(event);
    const [given] = event.dataTransfer?.files ?? [];
    if (given) take(given, given.name);
  });
  const paste = (event) => {
    if (!element.isConnected || element.offsetParent === null) return;
    const [given] = event.clipboardData?.files ?? [];
    if (!given?.type.startsWith("image/")) return;
    event.preventDefault();
    take(given, given.name);
  };
  app.on("config", (names) => {
    for (const field of fields) if (names === null || names.includes(field.dataset.setting)) field.set();
  });
  return {
    element,
    show: () => document.addEventListener("paste", paste),
    hide: () => document.removeEventListener("paste", paste),
  };
}
