/**
 * Makes src/geo/outline.json and src/geo/places.json, by hand when a source changes:
 *
 *     npm install --no-save world-atlas@2.0.2 topojson-client@3.1.0
 *     node tools/make_outline.mjs
 *
 * Outlines are those of Natural Earth 1:110m (naturalearthdata.com), which its makers put into the public domain; points
 * in the middle of small countries are of its 1:50m edition. Both are read from the npm package world-atlas, which
 * carries them as TopoJSON. Codes, names and regions are those of the Python package (ISO 3166-1, UN M49).
 *
 * Outlines are projected here (Equal Earth, which keeps areas) and rounded to whole units, so that the page needs no
 * map library. Antarctica is left out.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { geoArea, geoCentroid, geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const WIDTH = 2000;
const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const atlas = (name) => {
  const topology = JSON.parse(read(`../node_modules/world-atlas/countries-${name}.json`));
  return feature(topology, topology.objects.countries).features;
};

/** Number of ISO 3166-1 by letters: the atlas names countries by number. */
const NUMBERS = new Map(
  `
  AF004 AL008 DZ012 AS016 AD020 AO024 AI660 AQ010 AG028 AR032 AM051 AW533 AU036 AT040 AZ031 BS044 BH048 BD050
  BB052 BY112 BE056 BZ084 BJ204 BM060 BT064 BO068 BA070 BW072 BV074 BR076 IO086 BN096 BG100 BF854 BI108 KH116
  CM120 CA124 CV132 KY136 CF140 TD148 CL152 CN156 CX162 CC166 CO170 KM174 CG178 CD180 CK184 CR188 CI384 HR191
  CU192 CY196 CZ203 DK208 DJ262 DM212 DO214 EC218 EG818 SV222 GQ226 ER232 EE233 ET231 FK238 FO234 FJ242 FI246
  FR250 GF254 PF258 TF260 GA266 GM270 GE268 DE276 GH288 GI292 GR300 GL304 GD308 GP312 GU316 GT320 GN324 GW624
  GY328 HT332 HM334 VA336 HN340 HK344 HU348 IS352 IN356 ID360 IR364 IQ368 IE372 IL376 IT380 JM388 JP392 JO400
  KZ398 KE404 KI296 KP408 KR410 KW414 KG417 LA418 LV428 LB422 LS426 LR430 LY434 LI438 LT440 LU442 MO446 MG450
  MW454 MY458 MV462 ML466 MT470 MH584 MQ474 MR478 MU480 YT175 MX484 FM583 MD498 MC492 MN496 MS500 MA504 MZ508
  MM104 NA516 NR520 NP524 NL528 NC540 NZ554 NI558 NE562 NG566 NU570 NF574 MP580 MK807 NO578 OM512 PK586 PW585
  PS275 PA591 PG598 PY600 PE604 PH608 PN612 PL616 PT620 PR630 QA634 RE638 RO642 RU643 RW646 SH654 KN659 LC662
  PM666 VC670 WS882 SM674 ST678 SA682 SN686 SC690 SL694 SG702 SK703 SI705 SB090 SO706 ZA710 GS239 ES724 LK144
  SD729 SR740 SJ744 SZ748 SE752 CH756 SY760 TW158 TJ762 TZ834 TH764 TL626 TG768 TK772 TO776 TT780 TN788 TR792
  TM795 TC796 TV798 UG800 UA804 AE784 GB826 US840 UM581 UY858 UZ860 VU548 VE862 VN704 VG092 VI850 WF876 EH732
  YE887 ZM894 ZW716 AX248 BQ535 CW531 GG831 IM833 JE832 ME499 BL652 MF663 RS688 SX534 SS728
`
    .trim()
    .split(/\s+/)
    .map((one) => [one.slice(2), one.slice(0, 2)]),
);

/** Shapes that the atlas has without a number. ISO 3166 counts the first two with the country named here; the letters
 * of the third are those that ISO leaves to users and that are widely used. */
const UNNUMBERED = { Somaliland: "SO", "N. Cyprus": "CY", Kosovo: "XK" };
const EXTRA = [["XK", "XKX", "Kosovo", "Europe", "Southern Europe", ""]];

/** Middle of places that are no shape of their own in the atlas, in degrees east and north. */
const POINTS = {
  BQ: [-68.25, 12.18], BV: [3.35, -54.42], CC: [96.85, -12.17], CX: [105.63, -10.48], GF: [-53.1, 3.9],
  GI: [-5.35, 36.14], GP: [-61.55, 16.25], MQ: [-61.0, 14.65], RE: [55.53, -21.13], SJ: [15.6, 78.2],
  TK: [-171.8, -9.2], TV: [179.2, -8.52], UM: [-166.6, 19.3], YT: [45.16, -12.82],
};

function lettersOf(shape) {
  return NUMBERS.get(String(shape.id)) ?? UNNUMBERED[shape.properties.name] ?? null;
}

const coarse = atlas("110m").filter((shape) => lettersOf(shape) !== "AQ");
const land = { type: "FeatureCollection", features: coarse };
const projection = geoEqualEarth().fitWidth(WIDTH, land);
const bounds = geoPath(projection).bounds(land);
const HEIGHT = Math.ceil(bounds[1][1] - bounds[0][1]) + 2;
projection.translate([projection.translate()[0], projection.translate()[1] - bounds[0][1] + 1]);

/** The shape as a path of whole numbers, each step told from the point before. */
function outline(shape) {
  let text = "";
  let x = 0;
  let y = 0;
  let ring = [];
  const flush = () => {
    if (ring.length > 2) {
      ring.forEach(([px, py], i) => {
        text += `${i === 0 ? "m" : i === 1 ? "l" : " "}${px - x},${py - y}`;
        [x, y] = [px, py];
      });
      text += "z";
      [x, y] = ring[0];
    }
    ring = [];
  };
  const add = (px, py) => {
    const point = [Math.round(px), Math.round(py)];
    const last = ring.at(-1);
    if (!last || last[0] !== point[0] || last[1] !== point[1]) ring.push(point);
  };
  geoPath(projection, {
    beginPath() {},
    arc() {},
    moveTo(px, py) {
      flush();
      add(px, py);
    },
    lineTo: add,
    closePath: flush,
  })(shape);
  flush();
  return text.replace(/,-/g, "-").replace(/ -/g, "-");
}

/** Middle of the largest part: islands far away do not pull it into the sea. */
function middle(shape) {
  const parts =
    shape.geometry.type === "MultiPolygon"
      ? shape.geometry.coordinates.map((coordinates) => ({ type: "Polygon", coordinates }))
      : [shape.geometry];
  return geoCentroid(parts.reduce((best, part) => (geoArea(part) > geoArea(best) ? part : best)));
}

const fine = new Map();
for (const shape of atlas("50m")) {
  const letters = lettersOf(shape);
  if (letters && !(letters in POINTS) && !(shape.id === undefined && letters !== "XK")) {
    const there = fine.get(letters);
    if (!there || geoArea(shape) > there.area) fine.set(letters, { area: geoArea(shape), at: middle(shape) });
  }
}
for (const [letters, at] of Object.entries(POINTS)) fine.set(letters, { area: 0, at });

const rows = read("../../../src/caseveil/standards/data/countries.csv")
  .trim()
  .split(/\r?\n/)
  .slice(1)
  .map((line) => [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].slice(0, 6).map((m) => m[2] ?? m[1]));
if (rows.some((row) => row.length !== 6)) throw new Error("countries.csv must have six columns");
const countries = [...rows, ...EXTRA].filter(([letters]) => letters !== "AQ");
const missing = countries.filter(([letters]) => !fine.has(letters)).map(([letters]) => letters);
if (missing.length > 0) throw new Error(`no point for ${missing.join(", ")}`);

// Islands beyond all land that is drawn stand at its edge.
const inside = (n, end) => Math.min(end - 8, Math.max(8, Math.round(n)));
const place = (at) => {
  const [x, y] = projection(at);
  return [inside(x, WIDTH), inside(y, HEIGHT)];
};

/** Middle of a region on the sphere. Roots of areas as weights: Russia does not pull Europe beyond the Urals. */
function centre(members) {
  const sum = [0, 0, 0];
  for (const [letters] of members) {
    const { area, at } = fine.get(letters);
    const [east, north] = at.map((degrees) => (degrees * Math.PI) / 180);
    const weight = Math.sqrt(area);
    sum[0] += weight * Math.cos(north) * Math.cos(east);
    sum[1] += weight * Math.cos(north) * Math.sin(east);
    sum[2] += weight * Math.sin(north);
  }
  const east = Math.atan2(sum[1], sum[0]);
  const north = Math.atan2(sum[2], Math.hypot(sum[0], sum[1]));
  return [(east * 180) / Math.PI, (north * 180) / Math.PI];
}

function regions(position) {
  const names = [...new Set(countries.map((row) => row[position]))].filter(Boolean).sort();
  return names.map((name) => [name, ...place(centre(countries.filter((row) => row[position] === name)))]);
}

const shapes = coarse.map((shape) => [lettersOf(shape) ?? "", outline(shape)]).filter(([, path]) => path !== "");
shapes.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
const lines = (list) => `[\n${list.map((one) => JSON.stringify(one)).join(",\n")}\n]`;
writeFileSync(
  new URL("../src/geo/outline.json", import.meta.url),
  `{"width": ${WIDTH}, "height": ${HEIGHT}, "shapes": ${lines(shapes)}}\n`,
);
writeFileSync(
  new URL("../src/geo/places.json", import.meta.url),
  `{"countries": ${lines(
    countries.map(([iso2, iso3, name, region, subregion, others]) => [
      iso2, iso3, name, region, subregion, others, ...place(fine.get(iso2).at),
    ]),
  )},\n"regions": ${lines(regions(3))},\n"subregions": ${lines(regions(4))}}\n`,
);
