// The words of the page in the language that the browser or the person chose. One file a language lies in texts/.

import { number, speak } from "./texts/formats.mjs";
import { LANGUAGES } from "./texts/table.mjs";

export { ago, bytes, decimal, duration, number, percent } from "./texts/formats.mjs";
export { LANGUAGES };

const KEY = "prompt-extend-language";

/** The language's id that a person chose, "" where the browser decides. */
export function chosen() {
  try {
    const id = localStorage.getItem(KEY) ?? "";
    return LANGUAGES.some((l) => l.id === id) ? id : "";
  } catch {
    return ""; // storage is blocked
  }
}

/** Choose a language, "" for the browser's. It is spoken after the page is loaded again. Returns whether it was kept. */
export function choose(id) {
  try {
    if (id) localStorage.setItem(KEY, id);
    else localStorage.removeItem(KEY);
    return true;
  } catch {
    return false;
  }
}

/** The first of the browser's languages that there is: "zh-CN" and "zh-Hans" are "zh", anything else is English. */
function spoken() {
  for (const wanted of navigator.languages ?? [navigator.language]) {
    const found = LANGUAGES.find(({ id }) => wanted.toLowerCase() === id || wanted.toLowerCase().startsWith(`${id}-`));
    if (found) return found.id;
  }
  return "en";
}

export const language = chosen() || spoken();
// only the one that is spoken is fetched
const words = await import(`./texts/${language}.mjs`);
speak(language, words.units, words.ago);

export const { texts, choices, kinds, sources, groups } = words;

/** "1 picture", "12 pictures": for the panel, whose words are English. */
export const many = (n, word, plural = `${word}s`) => `${number(n)} ${n === 1 ? word : plural}`;

const described = {};

/** Take the settings' names from their descriptions; a language's own names and helps come first. */
export function nameSettings(settings) {
  for (const s of settings) described[s.name] = [words.settings[s.name]?.[0] ?? s.label, words.settings[s.name]?.[1] ?? ""];
}

/** A setting's name as a person reads it. */
export const label = (name) => described[name]?.[0] ?? words.settings[name]?.[0] ?? (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** The help of a setting, without the words of the command line. */
export const helpOf = (setting) => described[setting.name]?.[1] || help(setting.help);

/** A help text of the server's without the words of the command line. */
export const help = (text) =>
  text
    .replace(/`?--([a-z][a-z-]*)`?/g, (_, flag) => `“${label(flag.replaceAll("-", "_"))}”`)
    .replace(/`prompt-extend models`/g, "the list")
    .replace(/, separated by commas/g, "")
    .replace(/^./, (c) => c.toUpperCase());
