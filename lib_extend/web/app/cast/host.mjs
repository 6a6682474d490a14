// The WebUI around the panel: its fields are read, and written only where a person asks for it.

import { panelValue } from "./ids.mjs";

const root = () => globalThis.gradioApp?.() ?? document;
const find = (selector) => root().querySelector(selector);
const number = (selector) => Math.round(find(`${selector} input[type=number]`)?.valueAsNumber ?? 0) || 0;

/** The textbox that carries the panel's value. */
export const textbox = (tab) => find(`#${panelValue(tab)} textarea`);

/** The accordion that the panel is in. */
export const accordion = (element) => element.closest("[id^=prompt_extend_][id$=img]");

export const prompt = (tab) => find(`#${tab}_prompt textarea`)?.value ?? "";
/** Put a text into the WebUI's prompt, as if it was typed. */
export function setPrompt(tab, text) {
  const area = find(`#${tab}_prompt textarea`);
  if (!area) return;
  area.value = text;
  // Gradio takes a value over when it hears of it
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

export const negative = (tab) => find(`#${tab}_neg_prompt textarea`)?.value ?? "";

/** The checkpoint's name as it is chosen; it may still have to be loaded. */
export const checkpoint = () => find("#setting_sd_model_checkpoint input")?.value ?? "";

/** [width, height] of the picture to be made. */
export function size(tab) {
  // img2img's "Resize by" says its size in words only
  const words = tab === "img2img" ? find("#img2img_scale_resolution_preview") : null;
  if (words && words.offsetParent !== null) {
    const [, w, h] = [...words.querySelectorAll(".resolution")].at(-1)?.textContent.match(/^(\d+)x(\d+)$/) ?? [];
    if (Number(w) > 0 && Number(h) > 0) return [Number(w), Number(h)];
  }
  return [number(`#${tab}_width`) || 512, number(`#${tab}_height`) || 512];
}

/** The address of the picture that was made last (the one shown large, if any), or "". */
export function lastPicture(tab) {
  const gallery = find(`#${tab}_gallery`);
  const image = gallery?.querySelector("[data-testid=detailed-image], .preview img") ?? gallery?.querySelector("img");
  return image?.src ?? "";
}

/** The address of img2img's input, or "". */
export function inputPicture(tab) {
  if (tab !== "img2img") return "";
  const shown = [...root().querySelectorAll("#mode_img2img img, #img2img_image img")].find((i) => i.offsetParent !== null && i.naturalWidth > 1);
  return shown?.src ?? "";
}

export const infotextPlace = (tab) => find(`#html_info_${tab}`);

/** The infotext shown under the pictures. */
export function infotext(tab) {
  const place = infotextPlace(tab);
  return place?.querySelector("textarea")?.value ?? place?.innerText ?? "";
}

/** Show a tab's panel. */
export function open(tab) {
  const go = globalThis[`switch_to_${tab}`];
  if (typeof go === "function") go();
  const place = find(`#prompt_extend_${tab}`);
  const head = place?.querySelector(".label-wrap");
  if (head && !head.classList.contains("open")) head.click();
  place?.scrollIntoView({ block: "start", behavior: "smooth" });
}
