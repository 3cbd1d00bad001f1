/**
 * Countries and regions by the words that data use for them: codes of ISO 3166-1, names in English, French, Spanish
 * and Arabic, and the regions and sub-regions of the United Nations (M49).
 *
 * Points are in the units of outline.json. A region stands at its middle.
 */

import table from "./places.json";

export interface Place {
  /** Letters of ISO 3166-1, or the English name of a region. */
  id: string;
  name: string;
  kind: "country" | "region";
  x: number;
  y: number;
  /** Two-letter codes of the countries that it covers. */
  members: readonly string[];
  /** Name of the part at whose point it is drawn, where it is made of several. */
  drawnAt?: string;
}

type CountryRow = [string, string, string, string, string, string, number, number];
type RegionRow = [string, number, number];

/** Regions that are not of M49's own list, or that are often written another way, by the parts they consist of. */
const OTHER_REGIONS: Record<string, readonly string[]> = {
  America: ["Americas"],
  "North America": ["Northern America"],
  "North Africa": ["Northern Africa"],
  "East Africa": ["Eastern Africa"],
  "West Africa": ["Western Africa"],
  "Central Africa": ["Middle Africa"],
  "East Asia": ["Eastern Asia"],
  "West Asia": ["Western Asia"],
  "South Asia": ["Southern Asia"],
  "Southeast Asia": ["South-Eastern Asia"],
  "South East Asia": ["South-Eastern Asia"],
  "North Europe": ["Northern Europe"],
  "East Europe": ["Eastern Europe"],
  "West Europe": ["Western Europe"],
  "South Europe": ["Southern Europe"],
  Australasia: ["Australia and New Zealand"],
  "Sub-Saharan Africa": ["Middle Africa", "Eastern Africa", "Western Africa", "Southern Africa"],
  "Latin America": ["South America", "Central America", "Caribbean"],
  "Latin America and the Caribbean": ["South America", "Central America", "Caribbean"],
  "Latin America and Caribbean": ["South America", "Central America", "Caribbean"],
  "Asia and the Pacific": ["Asia", "Oceania"],
  "Asia-Pacific": ["Asia", "Oceania"],
};

/** The five regions and what they are called in the other languages of the page. */
const TRANSLATED: Record<string, readonly string[]> = {
  Africa: ["Afrique", "África", "أفريقيا", "إفريقيا"],
  Americas: ["Amériques", "Amérique", "Américas", "América", "الأمريكتان", "الأمريكيتان", "أمريكا"],
  Asia: ["Asie", "آسيا"],
  Europe: ["Europa", "أوروبا"],
  Oceania: ["Océanie", "Oceanía", "أوقيانوسيا"],
};

/** Text without case, accents, punctuation and repeated blanks, to compare names by. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

interface Index {
  codes: ReadonlyMap<string, Place>;
  names: ReadonlyMap<string, Place>;
}

let index: Index | undefined;

function build(): Index {
  const codes = new Map<string, Place>();
  const names = new Map<string, Place>();
  const add = (text: string | undefined, place: Place): void => {
    const key = plain(text ?? "");
    if (key && !names.has(key)) names.set(key, place);
  };
  const rows = table.countries as CountryRow[];
  const countries = rows.map(([iso2, iso3, name, , , , x, y]): Place => {
    const place: Place = { id: iso2, name, kind: "country", x, y, members: [iso2] };
    codes.set(iso2, place);
    codes.set(iso3, place);
    return place;
  });
  const region = (position: 3 | 4, [name, x, y]: RegionRow): Place => ({
    id: name,
    name,
    kind: "region",
    x,
    y,
    members: rows.filter((row) => row[position] === name).map((row) => row[0]),
  });
  // "Micronesia" and the like: the region first where a name is that of both.
  for (const row of table.regions as RegionRow[]) add(row[0], region(3, row));
  for (const row of table.subregions as RegionRow[]) add(row[0], region(4, row));
  countries.forEach((place, i) => {
    add(place.name, place);
    for (const other of rows[i]![5].split(";")) add(other, place);
  });
  for (const [name, others] of Object.entries(TRANSLATED)) {
    for (const other of others) add(other, names.get(plain(name))!);
  }
  for (const [name, parts] of Object.entries(OTHER_REGIONS)) {
    const found = parts.map((part) => names.get(plain(part))!);
    add(name, found.length === 1 ? found[0]! : joined(name, found));
  }
  for (const language of ["en", "fr", "es", "ar"]) {
    const display = new Intl.DisplayNames([language], { type: "region", fallback: "none" });
    for (const place of countries) add(display.of(place.id), place);
  }
  return { codes, names };
}

/** One place of several: it covers all of them and is drawn at the first, for their middle may be in an ocean. */
function joined(name: string, parts: readonly Place[]): Place {
  const first = parts[0]!;
  const members = [...new Set(parts.flatMap((part) => part.members))];
  return { id: name, name, kind: "region", x: first.x, y: first.y, members, drawnAt: first.name };
}

/**
 * The country or region that a value names, or null. Codes count in capitals only: "No" is not Norway. Several places
 * with a stroke between them, as in "Americas/Oceania", are one.
 */
export function findPlace(text: string): Place | null {
  index ??= build();
  const whole = index.codes.get(text.trim()) ?? index.names.get(plain(text));
  if (whole) return whole;
  const parts = text.split(/\s*[/;+&]\s*/).filter(Boolean);
  if (parts.length < 2) return null;
  const found = parts.map((part) => index!.codes.get(part) ?? index!.names.get(plain(part)));
  return found.every((place) => place !== undefined) ? joined(text, found as Place[]) : null;
}

/** Values that say that a place is not known, or that there is none: they speak neither for nor against. */
const NOWHERE =
  /^(|-|n\/?a|other.*|unknown.*|not .*|none|missing|stateless.*|autres?|inconnue?|apatride|non .*|otr[oa]s?|desconocid[oa]|ap[aá]trida|no .*|أخرى|غير .*|مجهول)$/i;

// Two-letter codes of the states of some countries are those of countries elsewhere: most values have to fit.
const SHARE = 0.75;

/** Whether the values of a column are countries or regions. */
export function arePlaces(values: readonly string[]): boolean {
  const known = values.filter((value) => !NOWHERE.test(value.trim()));
  const found = known.filter((value) => findPlace(value) !== null);
  return found.length >= 2 && found.length >= SHARE * known.length;
}

const ORIGIN =
  /citizen|national|origin|birth|native|source.?countr|coo(?![a-z])|citoyen|naissance|origen|nacional|ciudadan|nacimiento|جنسي|منشأ|ميلاد|أصل/i;
const DESTINATION =
  /exploit|destin|coe(?![a-z])|arriv|rescue|identifi|explotac|llegada|استغلال|وجهة|وصول/i;

export interface PlacePair {
  /** Positions in the list of columns. */
  origin: number;
  destination: number;
}

/**
 * The columns that say where people came from and where they were exploited; null where no two columns are places.
 * Names and meanings are read for words such as citizenship and exploitation; without such words, the first place is
 * taken for the origin and the next for the destination.
 */
export function findPair(columns: readonly { name: string; meaning: string; values: readonly string[] }[]): PlacePair | null {
  const places = columns.map((_, i) => i).filter((i) => arePlaces(columns[i]!.values));
  // A name tells more than a meaning, which may speak of both.
  const by = (pattern: RegExp, not: RegExp): number | undefined =>
    places.find((i) => pattern.test(columns[i]!.name) && !not.test(columns[i]!.name)) ??
    places.find((i) => pattern.test(columns[i]!.meaning) && !not.test(columns[i]!.meaning));
  const origin = by(ORIGIN, DESTINATION) ?? places.find((i) => i !== by(DESTINATION, ORIGIN));
  const destination = by(DESTINATION, ORIGIN) ?? places.find((i) => i !== origin);
  if (origin === undefined || destination === undefined || origin === destination) return null;
  return { origin, destination };
}
