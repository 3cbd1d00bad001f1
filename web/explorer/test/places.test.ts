import { expect, test } from "vitest";
import outline from "../src/geo/outline.json";
import { arePlaces, findPair, findPlace } from "../src/geo/places";
import table from "../src/geo/places.json";

const letters = (text: string): string | undefined => findPlace(text)?.id;

test.each([
  ["FR", "FR"], ["fra", undefined], ["FRA", "FR"], ["france", "FR"], ["Francia", "FR"], ["فرنسا", "FR"],
  ["Côte d’Ivoire", "CI"], ["COTE D'IVOIRE", "CI"], ["UK", "GB"], ["Russia", "RU"], ["Viet Nam", "VN"], ["Vietnam", "VN"],
  ["Kosovo", "XK"], ["Africa", "Africa"], ["europe", "Europe"], ["South-Eastern Asia", "South-Eastern Asia"],
  ["North Africa", "Northern Africa"], ["Asie", "Asia"], ["No", undefined], ["Stateless", undefined], ["", undefined],
])("%s is %s", (text, wanted) => {
  expect(letters(text)).toBe(wanted);
});

test("several places are one, drawn at the first", () => {
  const both = findPlace("Americas/Oceania")!;
  expect(both.drawnAt).toBe("Americas");
  expect(both.members).toContain("BR");
  expect(both.members).toContain("AU");
  expect([both.x, both.y]).toEqual([findPlace("Americas")!.x, findPlace("Americas")!.y]);
  expect(findPlace("Americas/Other")).toBeNull();
});

test("every country has a point on the map, and every shape a country", () => {
  const known = new Set(table.countries.map((row) => row[0]));
  for (const [name] of outline.shapes as [string, string][]) if (name) expect(known, name).toContain(name);
  for (const row of table.countries) {
    const [x, y] = [row[6] as number, row[7] as number];
    expect(x >= 0 && x <= outline.width, String(row[0])).toBe(true);
    expect(y >= 0 && y <= outline.height, String(row[0])).toBe(true);
  }
  expect(known.size).toBe(249);
});

test("places lie where they are: some neighbours, and some far apart", () => {
  const at = (text: string) => findPlace(text)!;
  expect(at("PT").x).toBeLessThan(at("ES").x);
  expect(at("ES").x).toBeLessThan(at("Ukraine").x);
  expect(at("Ukraine").x).toBeLessThan(at("Japan").x);
  expect(at("Mexico").y).toBeGreaterThan(at("Canada").y);
  expect(at("Chile").y).toBeGreaterThan(at("Mexico").y);
  expect(at("Europe").y).toBeLessThan(at("Africa").y);
});

test("columns of places are told from others", () => {
  expect(arePlaces(["Africa", "Americas", "Asia", "Europe", "Oceania"])).toBe(true);
  expect(arePlaces(["UA", "PH", "Other", "Unknown"])).toBe(true);
  expect(arePlaces(["Yes", "No"])).toBe(false);
  expect(arePlaces(["Female", "Male", "Other"])).toBe(false);
  expect(arePlaces(["AL", "AK", "AZ", "AR", "CA", "CO", "CT", "FL", "HI", "IA", "KS", "NY", "OH", "OK", "TX", "UT", "WY"])).toBe(false);
  expect(arePlaces(["France"])).toBe(false);
});

test("origin and destination are found by their names, in either order", () => {
  const column = (name: string, meaning = "") => ({ name, meaning, values: ["Africa", "Asia", "Europe"] });
  const other = { name: "citizen", meaning: "", values: ["Yes", "No"] };
  expect(findPair([other, column("exploitation_region"), column("citizenship_region")])).toEqual({ origin: 2, destination: 1 });
  expect(findPair([column("UN_COO_Region"), column("UN_COE_Region")])).toEqual({ origin: 0, destination: 1 });
  expect(findPair([column("a", "Region of exploitation"), column("b", "Region of birth")])).toEqual({ origin: 1, destination: 0 });
  expect(findPair([column("pais_de_explotacion"), column("nacionalidad")])).toEqual({ origin: 1, destination: 0 });
  expect(findPair([column("first"), column("second")])).toEqual({ origin: 0, destination: 1 });
  expect(findPair([column("citizenship"), other])).toBeNull();
});
