// The way into the WebUI around us: its prompt.

const prompt = () => (globalThis.gradioApp?.() ?? document).querySelector("#txt2img_prompt textarea");

/** Whether there is a prompt to send a caption to. */
export const canSend = () => Boolean(prompt());

/** Put a caption into txt2img's prompt, as if it was typed, and go there. */
export function sendToTxt2img(caption) {
  const area = prompt();
  area.value = caption;
  // Gradio takes a value over when it hears of it; the WebUI's token counter listens too
  area.dispatchEvent(new Event("input", { bubbles: true }));
  if (typeof globalThis.switch_to_txt2img === "function") globalThis.switch_to_txt2img();
  area.focus();
}

/** Copy a text; where the page is not on a secure address, browsers have only the old way. */
export async function copy(text, place) {
  if (navigator.clipboard && globalThis.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0";
  place.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("The browser did not allow copying.");
  return undefined;
}
