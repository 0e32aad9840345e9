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
addEventListener("resize", reach);
document.addEventListener("htmx:after:swap", reach);
