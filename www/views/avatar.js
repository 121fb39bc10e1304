// A person as a coloured disc with an initial. Decorative: the name always stands beside it.
// Does not know anything about the person but id and name.

import { el } from "../dom.js";
import { hue, initial } from "../format.js";

export function avatar(id, name) {
  return el(`span.avatar.hue-${hue(id)}`, { "aria-hidden": "true" }, initial(name));
}
