// Below the picture of img2img and that of PNG Info: its tags into the prompt, or its characters into the panel. What
// neither needs is not fetched before a button is clicked.

import { h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { followTheme, styles } from "../parts/look.mjs";
import { texts } from "./texts.mjs";

const TAG = "prompt-extend-picture";
const LOOK = 1000;
const PATIENCE = 120;
const words = texts.ofPicture;
const root = () => globalThis.gradioApp?.() ?? document;

/** Where the buttons go, whose panel they fill, and where the picture is looked for. */
const PLACES = [
  { anchor: "#mode_img2img, #img2img_image", tab: "img2img", pictures: "#mode_img2img img, #img2img_image img" },
  { anchor: "#pnginfo_image", tab: "txt2img", pictures: "#pnginfo_image img" },
];

/** The picture that is shown now, as {blob, name}; null where there is none. */
async function pictureOf({ pictures }) {
  const shown = [...root().querySelectorAll(pictures)].find((i) => i.offsetParent !== null && i.naturalWidth > 1);
  if (!shown?.src) return null;
  return { blob: await (await fetch(shown.src)).blob(), name: "picture" };
}

class PromptExtendPicture extends HTMLElement {
  #endTheme = () => {};

  connectedCallback() {
    this.#endTheme = followTheme(this);
    if (!this.shadowRoot) this.#build();
  }

  disconnectedCallback() {
    this.#endTheme();
  }

  async #build() {
    const place = PLACES[Number(this.dataset.place)];
    const inner = this.attachShadow({ mode: "open" });
    const told = h("span", { class: "hint", role: "status" });
    const act = (work) => async () => {
      told.className = "hint";
      told.textContent = words.looking;
      try {
        const picture = await pictureOf(place);
        told.textContent = picture ? await work(picture) : words.none;
      } catch (error) {
        told.className = "hint bad";
        told.textContent = error.message;
      }
    };
    inner.adoptedStyleSheets = await styles(["base", "controls"]);
    inner.append(
      h(
        "div",
        { class: "row tight" },
        button(words.tags, act((picture) => tagsToPrompt(place.tab, picture)), "small", { title: words.tagsHint }),
        button(words.cast, act((picture) => castToPanel(place.tab, picture)), "small", { title: words.castHint }),
        told,
      ),
    );
  }
}

async function form(picture, values = {}) {
  const { Session } = await import("../session.mjs");
  const data = new FormData();
  data.append("image", picture.blob, picture.name);
  // the models are those of the tab
  data.append("config", JSON.stringify({ ...new Session().get("config", {}), ...values }));
  return data;
}

async function tagsToPrompt(tab, picture) {
  const [{ api }, { joined }, { prompt, setPrompt }] = await Promise.all([import("../api.mjs"), import("./additions.mjs"), import("./host.mjs")]);
  const { caption } = await api.upload("analyze", await form(picture, { people: false, format: "plain", escape_brackets: true }));
  setPrompt(tab, joined(prompt(tab), caption ? [caption] : []));
  return words.tagged(tab);
}

async function castToPanel(tab, picture) {
  const { castOfPicture, sendCast } = await import("./send.mjs");
  const cast = await castOfPicture(await form(picture));
  if (!sendCast(tab, cast)) throw new Error(words.noPanel(tab));
  return words.filled(tab);
}

if (!customElements.get(TAG)) customElements.define(TAG, PromptExtendPicture);

/** Put the buttons where a WebUI has such a picture; it builds its page after its scripts have run. */
function place(left) {
  PLACES.forEach(({ anchor }, at) => {
    const found = root().querySelector(anchor);
    if (found && !root().querySelector(`${TAG}[data-place="${at}"]`)) found.after(h(TAG, { data: { place: at } }));
  });
  const all = PLACES.every((_, at) => root().querySelector(`${TAG}[data-place="${at}"]`));
  if (!all && left > 0) setTimeout(() => place(left - 1), LOOK);
}

place(PATIENCE);
