// The search as a combo box (WAI-ARIA: editable, with a list box). htmx fetches the options; this
// opens and closes the list, and lets the keyboard walk through it. Enter without a chosen option
// sends the plain form. And a list's order is applied when it is chosen.
(() => {
  "use strict";
  const input = document.getElementById("search");
  const list = document.getElementById("suggestions");
  if (!input || !list) return;
  const status = input.form.querySelector("[data-suggested]");
  const options = () => [...list.querySelectorAll("[role=option]")];
  const active = () => list.querySelector("[aria-selected=true]");

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  const choose = (option) => {
    active()?.setAttribute("aria-selected", "false");
    input.removeAttribute("aria-activedescendant");
    if (!option) return;
    option.setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };

  const show = (isOpen) => {
    const found = options().length;
    list.hidden = !isOpen || !found || document.activeElement !== input;
    input.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = list.hidden ? "" : `${status.dataset.suggested} ${found}`;
    if (list.hidden) choose(null);
  };

  const walk = (step) => {
    const all = options();
    if (list.hidden) show(true);
    if (list.hidden) return;
    const place = all.indexOf(active());
    // Past either end comes the field itself, with what was typed.
    const next = place < 0 ? (step > 0 ? 0 : all.length - 1) : place + step;
    choose(all[next]);
  };

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === list) show(input.value.trim() !== "");
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== input || input.value.trim()) return;
    event.preventDefault();
    list.replaceChildren();
    show(false);
  });

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // an input method's own keys, as for Chinese
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      walk(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && active()) {
      event.preventDefault();
      active().click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show(false);
    }
  });
  input.addEventListener("input", () => choose(null));
  input.addEventListener("focus", () => show(input.value !== input.defaultValue));
  input.addEventListener("blur", () => show(false));
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus

  const form = document.querySelector("[data-list-form]");
  form?.addEventListener("change", (event) => {
    if (event.target.matches("select, [type=checkbox]")) event.currentTarget.requestSubmit();
  });
  // After Back a browser puts back what was chosen just before leaving; the list is the address's.
  window.addEventListener("pageshow", (event) => {
    const [visit] = performance.getEntriesByType("navigation");
    if (event.persisted || visit?.type === "back_forward") form?.reset();
  });
})();
