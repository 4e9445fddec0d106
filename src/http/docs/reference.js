"use strict";

// System fonts, so that the page asks no other server for fonts.
const font = { fontFamily: "system-ui, sans-serif" };

Redoc.init(
  "/openapi.json",
  { theme: { typography: { ...font, headings: font } } },
  document.getElementById("reference"),
);
