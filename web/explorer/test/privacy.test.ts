// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { h } from "../src/layout/dom";
import { marked } from "../src/pages/privacy";

test("what the statement marks is shown, and what it escapes is text", () => {
  const shown = h("p", {}, ...marked("**A \\*person\\*.** It has `=1` and \\<b\\>c\\_d\\</b\\>; 2 \\* 3."));
  expect(shown.innerHTML).toBe("<strong>A *person*.</strong> It has <code>=1</code> and &lt;b&gt;c_d&lt;/b&gt;; 2 * 3.");
});
