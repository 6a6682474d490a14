// A question to a model, said to a person; and what may be answered.

import { spoken } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";

const words = texts.review;
/** What an item's question is called that is about the picture's description. */
export const PROSE = "prose/";

function plural(noun) {
  if (/(s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  if (/(l|r)f$/.test(noun)) return `${noun.slice(0, -1)}ves`;
  return `${noun}s`;
}

/** The object of an item and the number of the person it is about: `skirt@2` is the skirt of person 2. */
export function subject(item) {
  const [thing, person] = item.object.split("@");
  return { thing: spoken(thing), person: Number(person ?? 0) };
}

/** The question in words. `letter`: of the person it is about, "" for the whole picture. */
export function asked(item, questions, letter = "") {
  if (item.question === "persons") return words.whoIsWho;
  if (item.question === PROSE) return words.isItRight;
  const { thing } = subject(item);
  const ask = questions.find((q) => q.name === item.question)?.ask;
  // a question that belongs to another folder's settings
  if (!ask) return `${spoken(item.question)}${thing ? `: ${thing}` : ""}`;
  const whole = ask.replaceAll("{objects}", plural(thing)).replaceAll("{object}", thing).replaceAll("{answer}", thing);
  const only = whole.slice(0, whole.indexOf("?") + 1) || whole;
  return letter ? only.replace("the character in the image", letter) : only;
}

/** The answers that begin with what was typed. */
export function matching(allowed, typed) {
  const wanted = typed.toLowerCase();
  return allowed.filter((a) => spoken(a).toLowerCase().startsWith(wanted));
}

/** The answer that a digit means among those shown: the number itself, else the place counted from 1. */
export function byDigit(shown, digit) {
  if (shown.includes(digit)) return shown.every((a) => /^\d+$/.test(a)) ? digit : null;
  return digit === "0" ? null : (shown[Number(digit) - 1] ?? null);
}
