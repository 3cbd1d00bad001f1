import { beforeEach, describe, expect, it, vi } from "vitest";
import { Store } from "../src/state/store";
import { clearAll, emptyView, fromFragment, toFragment, toggle, togglePin, type View, type Vocabulary, withLinked, withTable } from "../src/state/view";
import { column } from "./make";

const odd = ["a|b", "c\\d", "e&f=g", "h+i j", "é ع", "|", "\\", "100%"];
const vocabulary: Vocabulary = {
  pages: ["stories", "explore", "linked", "quality", "privacy"],
  tables: [
    { name: "victims", columns: [column("gender", ["Female", "Male"]), column("t", odd), column(".x", ["1"]), column("linked.row", ["2"])] },
    { name: "perpetrators", columns: [column("role", ["Recruiter"])] },
  ],
  languages: ["en", "ar"],
};
const start = emptyView(vocabulary);

describe("a fragment", () => {
  it("can be read by people", () => {
    const view = toggle(toggle({ ...start, page: "explore" }, "gender", "Female"), "gender", "Male");
    expect(toFragment(togglePin(view, "gender"), vocabulary)).toBe("t=victims&gender=Female|Male&pin=gender");
  });

  it("comes back as the same view, with every odd value and name", () => {
    let view: View = { ...start, page: "explore", lang: "ar" };
    for (const value of [...odd, ""]) view = toggle(view, "t", value);
    view = toggle(toggle(view, ".x", "1"), "linked.row", "2");
    view = togglePin(togglePin(view, "t"), ".x");
    expect(fromFragment(toFragment(view, vocabulary), vocabulary)).toEqual({ view, unknown: 0 });
  });

  it("keeps every page, table and linked choice", () => {
    for (const page of vocabulary.pages) {
      for (const table of ["victims", "perpetrators"]) {
        for (const linked of [start.linked, withLinked(start, "row", "gender").linked]) {
          const view = { ...withTable(start, table), page, linked };
          expect(fromFragment(toFragment(view, vocabulary), vocabulary)).toEqual({ view, unknown: 0 });
        }
      }
    }
  });

  it("survives a mail program that escapes what was not escaped", () => {
    const view = toggle(toggle({ ...start, page: "explore" }, "t", "a|b"), "t", "|");
    const mailed = toFragment(view, vocabulary).replace(/\|/g, "%7C").replace(/\\/g, "%5C");
    expect(fromFragment(mailed, vocabulary).view).toEqual(view);
  });

  it("counts what the release does not have, and keeps the rest", () => {
    const { view, unknown } = fromFragment("t=victims&gender=Female|Nobody&colour=red&pin=gender|shoe&%E0%A4%A=1&lang=xx&page=none", vocabulary);
    expect(unknown).toBe(6);
    expect([...view.chosen]).toEqual([["gender", new Set(["Female"])]]);
    expect(view.pinned).toEqual(["gender"]);
  });

  it("without anything is the first page", () => {
    expect(fromFragment("", vocabulary)).toEqual({ view: start, unknown: 0 });
    expect(toFragment(start, vocabulary)).toBe("");
  });
});

describe("the store", () => {
  beforeEach(() => {
    window.location.hash = "";
  });

  it("writes each view into the address once, and tells of it", () => {
    const store = new Store(vocabulary, window);
    const heard = vi.fn();
    store.onChange(heard);
    const push = vi.spyOn(window.history, "pushState");
    const view = toggle({ ...store.view, page: "explore" }, "gender", "Male");
    store.set(view);
    store.set({ ...view });
    expect(push).toHaveBeenCalledTimes(1);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(push.mock.calls[0]![2]).toBe("#t=victims&gender=Male");
    expect(store.canGoBack).toBe(true);
    store.set(clearAll(store.view));
    expect(store.view.chosen.size).toBe(0);
    push.mockRestore();
  });
});
