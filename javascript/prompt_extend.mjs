// Loaded by the WebUI. Fetches the page's module from our own routes: there it has one address for all who import
// it, while a WebUI puts ?time behind this one's.

const TRIES = 20;
const PATIENCE = 480; // quarters of a second
const base = import.meta.url.split(/\/(?:gradio_api\/)?file=/)[0];
const entry = `${base}/prompt-extend/v1/page/app.mjs`;
const panel = `${base}/prompt-extend/v1/page/cast/element.mjs`;
const pictures = `${base}/prompt-extend/v1/page/cast/picture_buttons.mjs`;

async function load() {
  // a WebUI shows its page a moment before it has taken in our routes
  for (let n = 0; n < TRIES; n += 1) {
    const reply = await fetch(entry).catch(() => null);
    if (reply?.ok) {
      await Promise.all([import(entry), loadPanel()]);
      return;
    }
    if (reply && reply.status !== 404) break;
    await new Promise((done) => setTimeout(done, Math.min(2000, 250 * (n + 1))));
  }
  throw new Error(`${entry} does not answer`);
}

/** The panel in txt2img and img2img, once it is on the page; a WebUI builds its page after its scripts have run. */
async function loadPanel() {
  for (let n = 0; n < PATIENCE; n += 1) {
    if (document.querySelector("prompt-extend-cast")) return void (await Promise.all([import(panel), import(pictures)]));
    await new Promise((done) => setTimeout(done, 250));
  }
}

load().catch((error) => {
  console.error("Prompt Extend:", error);
  const say = () => {
    for (const p of document.querySelectorAll(":is(prompt-extend-app, prompt-extend-cast) .prompt-extend-waiting")) {
      p.textContent = "Prompt Extend's page could not be loaded: look for “Prompt Extend” in the WebUI's console, then reload.";
    }
  };
  say();
  setInterval(say, 2000);
});
