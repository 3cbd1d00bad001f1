// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { makeContext } from "../src/layout/context";
import { qualityPage, verdictOf } from "../src/pages/quality";
import type { Payload } from "../src/payload";

test.each([
  ["good", [{ cells: 72, rms_sigma: 1.31 }, { cells: 20000, rms_sigma: 1.15 }]],
  ["fair", [{ cells: 72, rms_sigma: 1.33 }]],
  ["fair", [{ cells: 72, rms_sigma: 0.6 }, { cells: 20000, rms_sigma: 1.17 }]],
  ["fair", [{ cells: 200, rms_sigma: 1.69 }]],
  ["poor", [{ cells: 200, rms_sigma: 1.71 }]],
] as const)("a release is %s by its worst length, of which few counts may scatter more", (verdict, lengths) => {
  expect(verdictOf(lengths)).toBe(verdict);
});

test("the verdict is told in words", () => {
  const payload = {
    quality: { lengths: { "1": { cells: 50, groups: 3, rms_sigma: 0.9, within_2_sigma: 0.96 }, "2": { cells: 5000, groups: 3, rms_sigma: 1.9, within_2_sigma: 0.7 } } },
    tables: [],
  } as unknown as Payload;
  expect(qualityPage(payload, makeContext("en", "Footer.")).querySelector(".verdict")!.textContent).toMatch(/differ clearly more/);
});
