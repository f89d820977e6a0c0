/* global document, window, getComputedStyle */
// A script for the page under test: its value is a list of what a reader would stumble over.
(() => {
  const faults = new Set();
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) faults.add(`the page is ${wide} px wider than the window`);

  for (const picture of document.querySelectorAll('[role="img"]')) {
    const name = picture.getAttribute("aria-label");
    const svg = picture.querySelector("svg");
    const drawn = svg?.getBoundingClientRect();
    if (!name) faults.add("a chart without a name");
    if (!drawn || drawn.width < 200 || drawn.height < 20) faults.add(`${name}: not drawn`);
    if (drawn && drawn.right > window.innerWidth) faults.add(`${name}: cut off`);
    if (!picture.closest("figure")?.querySelector("details table tbody tr")) faults.add(`${name}: no table`);
    for (const text of svg?.querySelectorAll("text") ?? []) {
      const { height } = text.getBoundingClientRect();
      if (text.textContent.trim() !== "" && height < 8) faults.add(`${name}: text ${height.toFixed(1)} px high`);
    }
  }

  // WCAG 2.1: relative luminance and contrast.
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = luminance(getComputedStyle(document.body).backgroundColor);
  for (const element of document.querySelectorAll("h1, h2, h3, p, td, th, li, summary")) {
    const text = luminance(getComputedStyle(element).color);
    const contrast = (Math.max(page, text) + 0.05) / (Math.min(page, text) + 0.05);
    if (contrast < 4.5) faults.add(`<${element.localName}>: contrast ${contrast.toFixed(1)}`);
  }
  return [...faults];
})();
