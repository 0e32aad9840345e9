// What the pages cannot say in HTML alone. Everything works without it.
"use strict";

// A menu closes when the reader turns to something else.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A table wider than its place can be scrolled with the keyboard.
const reach = () => {
  for (const place of document.querySelectorAll(".scroll, .listing, .world")) {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
};
reach();

// What is wider than its place begins in the middle (the map), or at the page that is shown (the desks).
for (const map of document.querySelectorAll(".world")) {
  const side = getComputedStyle(map).direction === "rtl" ? -1 : 1;
  map.scrollLeft = (side * (map.scrollWidth - map.clientWidth)) / 2;
}
for (const here of document.querySelectorAll(".desks [aria-current], .tabs [aria-current]")) {
  const place = here.parentElement;
  const [inner, outer] = [here.getBoundingClientRect(), place.getBoundingClientRect()];
  if (inner.left < outer.left || inner.right > outer.right) {
    place.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
  }
}
addEventListener("resize", reach);
document.addEventListener("htmx:after:swap", reach);
