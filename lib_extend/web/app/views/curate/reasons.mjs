// Why a tag is not there, in the page's words.

import { spoken } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";

/** A sentence for a reason { code, fields, reason }: our own where its code is known, else the server's. */
export function reasonOf({ code = "", fields = {}, reason = "" }) {
  const say = texts.reasons[code];
  if (!say) return reason || code;
  const words = Object.fromEntries(Object.entries(fields ?? {}).map(([name, value]) => [name, typeof value === "string" ? spoken(value) : value]));
  return say(words);
}
