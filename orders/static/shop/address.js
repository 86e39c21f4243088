// The fields of an address, which htmx swaps when the country changes: what is typed is kept.
(() => {
  "use strict";
  let typed = new Map();

  // A browser that fills the form in goes on while the server answers the change of the country.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "address") return;
    const fields = event.detail.target.querySelectorAll("input, select");
    typed = new Map([...fields].map((field) => [field.name, field.value]));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "address") return;
    for (const field of event.detail.target.querySelectorAll("input, select")) {
      const value = typed.get(field.name);
      if (!value) continue;
      const isOffered = field.options && [...field.options].some((one) => one.value === value);
      if (!field.options || isOffered) field.value = value;
    }
  });
})();
