/** Names of files that every system takes. */

const MOST = 80;
// Names that Windows keeps for devices, whatever comes after a point.
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/** A title as the name of a file: letters and digits of any script, with '-' between words. */
export function fileName(title: string, ending: "svg" | "png" | "csv"): string {
  const words = title.normalize("NFC").match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  let name = "";
  for (const word of words) {
    const next = name ? `${name}-${word}` : word;
    if ([...next].length > MOST) break;
    name = next;
  }
  if (!name) name = words[0] ? [...words[0]].slice(0, MOST).join("") : "figure";
  return `${DEVICES.test(name) ? `figure-${name}` : name}.${ending}`;
}
